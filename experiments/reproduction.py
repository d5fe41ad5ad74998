"""A study's folder: its table and about.json are measured; verdicts.json and figure.png follow from them."""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attention_lab.config import all_fields
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import show
from attention_lab.figures import style
from attention_lab.statistics import Interval, Verdict, judge, spelled
from attention_lab.storage import environment
from attention_lab.storage.files import read_json, write_json
from attention_lab.sweeps import execution, launch
from attention_lab.sweeps.cell import Shared
from attention_lab.sweeps.plan import plan
from attention_lab.tasks import build
from attention_lab.training.progress import progress
from experiments import table
from experiments.flags import Options, say
from experiments.studies.record import Rows, Study
from experiments.sweep_run import join_command

RESULTS = Path("experiments/results")


def reproduce(study: Study, options: Options) -> list[Verdict]:
    """Measures the cells that runs.csv lacks, then judges and draws from the tables alone."""
    environment.check_settings()
    settings = {"data": options.data or os.environ.get("ATTENTION_LAB_DATA", ""),
                **study.presets[options.preset]}
    with _folder(study, options) as folder:
        rows = table.read(folder)
        if not options.redraw:
            rows = _measure(study, settings, rows, folder, options)
        elif not rows:
            raise ValueError(f"{folder / 'runs.csv'} is not there: --redraw draws from it")
        try:  # what the table lacks is said before anything is written
            verdicts = judge(study.claims, study.differences(rows))
            resampled = study.resampled(rows) if study.resampled else {}
            figure = study.draw(rows, settings)
        except KeyError as error:
            if not options.redraw or not isinstance(error.args[0], tuple):  # a tuple names a cell
                raise
            raise ValueError(f"{folder / 'runs.csv'} has no row of {error.args[0]}: measure it, without "
                             "--redraw") from error
        write_json(folder / "verdicts.json", {"claims_hash": study.claims_hash(),
                                              "verdicts": [_plain(one, resampled.get(one.claim.name))
                                                           for one in verdicts]})
        style.save(figure, folder / "figure.png")
        _print(study, verdicts, resampled)
        say(str(folder) if _kept(options) else "results are kept by --results=DIR only")
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
        say(f"warning: the claims of {study.name} were changed after its runs began")
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
                    table.check_columns(row, rows, folder)
                    write_json(folder / "about.json", about)
                known[tuple(cell.values())] = row
                rows = [known[tuple(one.values())] for one in cells if tuple(one.values()) in known]
                table.write(folder, rows, names)  # whole after each cell, so that a kill loses one at most
                done += 1
                tick(done)
    return rows


def _train(study: Study, stage: Rows, settings: Any, rows: Rows, runs: Path, options: Options) -> None:
    """Has workers, or an accelerator, train the runs behind cells together; `measure` finds them finished.

    One worker on a CPU has nothing to gain: there `measure` trains cell by cell.
    """
    if options.workers == 1 and execution.how_of("auto") == "loop":
        return
    file = study.config(settings)
    changes = [study.overrides(cell, settings, rows) for cell in stage]
    changes = [one for one in changes if one is not None]
    if not changes:
        return
    # Where data lie is no part of a cell's name; a worker's config has to have it from the start.
    places = {key: value for key, value in changes[0].items() if not all_fields()[key].recorded}
    base = merge(load(file), places)
    groups = plan(base, changes)
    if options.workers == 1:
        with progress(None, study.name) as line:
            execution.execute(groups, runs, Shared(build), options.command, line, how="auto")
        return
    command = join_command(file, [(key, show(value)) for key, value in places.items()])
    launch.run_groups(groups, base, runs, launch.Workers(command, options.workers), build, say)


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


def _plain(verdict: Verdict, resampled: Interval | None) -> dict[str, Any]:
    claim = verdict.claim
    both = {"two_level": [resampled.low, resampled.high]} if resampled else {}
    return {"name": claim.name, "statement": claim.statement, "primary": claim.primary,
            "margin": claim.margin, "published": claim.published,
            "effect": verdict.effect, "low": verdict.interval.low,
            "high": verdict.interval.high, "level": verdict.interval.level, **both, "seeds": verdict.seeds,
            "p": verdict.p, "verdict": verdict.verdict, "reason": verdict.reason}


def _print(study: Study, verdicts: list[Verdict], resampled: Mapping[str, Interval]) -> None:
    print(study.question)
    print("\t".join(["claim", "published", "ours (95 % interval)",
                     *(["test sentences drawn anew, too"] if resampled else []), "n", "verdict"]))
    for one in verdicts:
        ours = spelled(one.effect, one.interval.low, one.interval.high, one.seeds)
        both = [f"{found.low:.3g} to {found.high:.3g}" for name, found in resampled.items()
                if name == one.claim.name]
        kind = "" if one.claim.primary else " (exploratory)"
        print("\t".join([one.claim.statement + kind, one.claim.published or "-", ours, *both, str(one.seeds),
                         f"{one.verdict}: {one.reason}"]))
