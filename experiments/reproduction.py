"""A study's folder: runs.csv and about.json are measured; verdicts.json and figure.png follow from them."""

import contextlib
import csv
import io
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attention_lab import environment
from attention_lab.checks import show
from attention_lab.config import knobs
from attention_lab.figures import style
from attention_lab.files import read_json, write_json, write_text
from attention_lab.overrides import merge
from attention_lab.statistics import Verdict, judge
from attention_lab.training.progress import progress
from experiments.flags import Options, load
from experiments.studies.record import Rows, Study

RESULTS = Path("experiments/results")


class Row(dict):
    """A row of a table on disk, which says what column it lacks, whoever asks for it."""

    def __init__(self, path: Path, values: Iterable[tuple[str, Any]]):
        super().__init__(values)
        self.path = path

    def __missing__(self, column: str) -> Any:
        raise ValueError(f"{self.path} has no column {column}: {_measured_before(self.path)}")


def reproduce(study: Study, options: Options) -> list[Verdict]:
    """Measures the cells that runs.csv lacks, then judges and draws from the tables alone."""
    settings = {"data": options.data or os.environ.get("ATTENTION_LAB_DATA", ""),
                **study.presets[options.preset]}
    with _folder(study, options) as folder:
        rows = _read(folder / "runs.csv")
        if not options.redraw:
            rows = _measure(study, settings, rows, folder, options)
        elif not rows:
            raise ValueError(f"{folder / 'runs.csv'} is not there: --redraw draws from it")
        try:  # what the table lacks is said before anything is written
            verdicts = judge(study.claims, study.differences(rows))
            figure = study.draw(rows, settings)
        except KeyError as error:
            if not options.redraw or not isinstance(error.args[0], tuple):  # a tuple names a cell
                raise
            raise ValueError(f"{folder / 'runs.csv'} has no row of {error.args[0]}: measure it, without "
                             "--redraw") from error
        write_json(folder / "verdicts.json", {"claims_hash": study.claims_hash(),
                                              "verdicts": [_plain(one) for one in verdicts]})
        style.save(figure, folder / "figure.png")
        _print(study, verdicts, folder)
    return verdicts


def _measure(study: Study, settings: Any, rows: Rows, folder: Path, options: Options) -> Rows:
    # Run folders are large and of one machine; what they measured is in runs.csv.
    runs = Path("runs") / "studies" / study.name if _kept(options) else folder / "runs"
    settings = {**settings, "runs": runs}
    cells = study.cells(settings)
    names = list(cells[0])
    known = {tuple(row[name] for name in names): row for row in rows}
    held = read_json(folder / "about.json") if known else {}
    if held.get("preset", options.preset) != options.preset:
        raise ValueError(f"{folder} holds preset {held['preset']}: for {options.preset} give another "
                         "--results, or take the folder away")
    if held.get("claims_hash", study.claims_hash()) != study.claims_hash():
        print(f"reproduce: warning: the claims of {study.name} were changed after its runs began",
              file=sys.stderr)
    missing = [cell for cell in cells if tuple(cell.values()) not in known]
    if missing and study.overrides:
        study.overrides(missing[0], settings, rows)  # what it lacks is said before anything is written
    about = {"command": options.command, "preset": options.preset, "workers": options.workers,
             "claims_hash": study.claims_hash(),
             **environment.software(), **environment.hardware()} if missing else {}
    done = 0
    for _, stage in itertools.groupby(missing, lambda cell: cell.get("stage")):
        stage = list(stage)
        if study.config:
            _train(study, stage, settings, rows, runs, options)
        with progress(len(missing), study.name) as tick:
            for cell in stage:
                row = cell | study.measure(cell, settings, rows, runs)
                if not done:
                    _check_columns(row, rows, folder / "runs.csv")
                    write_json(folder / "about.json", about)
                known[tuple(cell.values())] = row
                rows = [known[tuple(one.values())] for one in cells if tuple(one.values()) in known]
                _write(folder / "runs.csv", rows)  # whole after each cell, so that a kill loses one at most
                done += 1
                tick(done)
    return rows


def _train(study: Study, stage: Rows, settings: Any, rows: Rows, runs: Path, options: Options) -> None:
    """Has workers, or an accelerator, train the runs behind cells together; `measure` finds them finished.

    One worker on a CPU has nothing to gain: there `measure` trains cell by cell.
    """
    from attention_lab.sweeps.cell import Shared
    from attention_lab.sweeps.execution import execute, how_of
    from attention_lab.sweeps.plan import plan
    from attention_lab.tasks import build
    from experiments.sweep import PROGRAM
    from experiments.sweep_run import by_workers
    if options.workers == 1 and how_of("auto") == "loop":
        return
    file = study.config(settings)
    changes = [study.overrides(cell, settings, rows) for cell in stage]
    changes = [one for one in changes if one is not None]
    if not changes:
        return
    # Where data lie is no part of a cell's name; a worker's config has to have it from the start.
    places = {key: value for key, value in changes[0].items() if not knobs()[key].recorded}
    base = merge(load(file), places)
    groups = plan(base, changes)
    if options.workers == 1:
        with progress(None, study.name) as line:
            execute(groups, runs, Shared(build), options.command, line, how="auto")
        return
    asked = Options(**({name: flag.default for name, flag in PROGRAM.flags.items()} | {
        "workers": options.workers, "command": options.command, "file": file, "config": base,
        "given": [(key, show(value)) for key, value in places.items()]}))
    by_workers(asked, groups, runs, lambda line: print(f"reproduce: {line}", file=sys.stderr, flush=True))


def _kept(options: Options) -> bool:
    """Whether results outlive the command."""
    return options.preset != "smoke" or bool(options.results)


@contextlib.contextmanager
def _folder(study: Study, options: Options) -> Iterator[Path]:
    if not _kept(options):
        with tempfile.TemporaryDirectory(prefix=f"{study.name}-") as folder:
            yield Path(folder)
        return
    folder = Path(options.results or RESULTS) / study.name
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _read(path: Path) -> Rows:
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [Row(path, ((name, _value(text)) for name, text in row.items()))
                for row in csv.DictReader(file)]


def _check_columns(row: Mapping[str, Any], rows: Rows, path: Path) -> None:
    """ValueError where a table does not have the columns of what is to go into it."""
    differing = sorted(set(row) ^ set(rows[0])) if rows else []
    if differing:
        raise ValueError(f"{path} and what is measured now differ in columns ({', '.join(differing)}): "
                         f"{_measured_before(path)}")


def _measured_before(path: Path) -> str:
    return (f"another version of the study measured it; take {path.parent} away, or give another --results, "
            "and measure again")


def _value(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _write(path: Path, rows: Rows) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _plain(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {"name": claim.name, "statement": claim.statement, "primary": claim.primary,
            "margin": claim.margin, "published": claim.published,
            "effect": verdict.effect, "low": verdict.interval.low,
            "high": verdict.interval.high, "level": verdict.interval.level, "seeds": verdict.seeds,
            "p": verdict.p, "verdict": verdict.verdict, "reason": verdict.reason}


def _print(study: Study, verdicts: list[Verdict], folder: Path) -> None:
    print(study.question)
    print("\t".join(["claim", "published", "ours (95 % interval)", "n", "verdict"]))
    for one in verdicts:
        ours = f"{one.effect:.3g} ({one.interval.low:.3g} to {one.interval.high:.3g})"
        kind = "" if one.claim.primary else " (exploratory)"
        print("\t".join([one.claim.statement + kind, one.claim.published or "-", ours, str(one.seeds),
                         f"{one.verdict}: {one.reason}"]))
    print(f"reproduce: {folder}", file=sys.stderr)
