"""Reproduces a study: measures its table, then derives verdicts, figure and all tables from it."""

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attention_lab.figures import style
from attention_lab.storage import environment
from attention_lab.storage.files import read_json, write_json
from attention_lab.studies import declaration, robust, table, tables, varied
from attention_lab.studies.declaration import ABOUT, read_about
from attention_lab.studies.measure import ByWorkers, lacking, measure
from attention_lab.studies.study import Study


def reproduce(study: Study, root: Path | None, preset: str = "cpu", *, redraw: bool = False,
              vary: bool = False, accept_changed_claims: bool = False, data: str = "", command: str = "",
              workers: int = 1, by_workers: ByWorkers | None = None, documents: Sequence[Path] = ()) -> dict:
    """Measures the cells without a row, judges, draws, and updates every table that shows the study.

    Args:
      root: parent of the study's folder; None keeps nothing.
      redraw: measures nothing; takes the preset of the table.
      vary: measures the final runs again with other numbers of steps and at each rate (`varied.reproduce`).
      accept_changed_claims: continues although claims or recipe differ from those declared before the
        runs; a note beside every verdict says so.
      data: folder of real corpora. command: the command line, for about.json.
      workers, by_workers: as for `measure`. documents: files with blocks for tables.
    Returns:
      the content of verdicts.json.
    Raises:
      ValueError: an incomplete table with `redraw`, claims that were changed, or nothing to `vary`.
    """
    environment.check_settings()
    with contextlib.ExitStack() as stack:
        folder = root / study.name if root else Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{study.name}-")))
        folder.mkdir(parents=True, exist_ok=True)
        rows = table.read(folder, study.labels)
        if redraw and not rows:
            raise ValueError(f"{folder / table.RUNS} does not exist: --redraw draws from it")
        about = read_about(folder) if rows else {"preset": preset}
        preset = about["preset"] if redraw else preset
        if about["preset"] != preset:
            raise ValueError(f"{folder} holds preset {about['preset']}: for {preset} give another --results, "
                             "or take the folder away")
        # Run folders are large and belong to one machine; their measurements are in runs.csv.
        runs = Path("runs") / "studies" / study.name if root else folder / "runs"
        settings = study.settings(preset, data, runs)
        changed = declaration.changes(study, about) if rows else []
        if changed and not accept_changed_claims:
            raise ValueError(f"{folder / ABOUT} was declared with other claims or another recipe "
                             f"({'; '.join(changed)}): undo the change, or continue with "
                             "--accept_changed_claims, which has it said beside the verdicts")
        if vary:
            varied.varied(study, rows)  # raises where there is nothing to vary, before anything is measured
        missing = lacking(study.cells(settings), rows)
        if redraw and missing:
            raise ValueError(f"{folder / table.RUNS} has no row of {missing[0]}: measure it, without "
                             "--redraw")
        if missing:
            if rows:
                environment.check_settings(about.get("jax_settings", {}))
            rows = measure(study, settings, preset, rows, folder, command, workers, by_workers)
        if vary:  # before tables that git has are written anew, which are uncommitted changes
            kept = varied.reproduce(study, read_about(folder)["claims_hash"], rows, settings, preset, folder,
                                    redraw=redraw, command=command, workers=workers, by_workers=by_workers)
        # All that can raise comes before anything else is written.
        verdicts = study.verdicts(rows)
        resampled = study.resampled(rows) if study.resampled else {}
        figure = study.draw(rows, settings)
        hash_now = declaration.declare(study, preset)["claims_hash"]
        results = tables.record(study, read_about(folder), hash_now, changed, verdicts, resampled,
                                study.left_out(rows), study.computed_in(rows))
        write_json(folder / tables.VERDICTS, results)
        style.save(figure, folder / "figure.png")
        results = read_json(folder / tables.VERDICTS)
        if root:
            tables.write_tables(root, documents)
        print(study.question)
        for line in tables.lines(results):
            print("\t".join(line))
        for note in tables.notes(study.name, results):
            print(note)
        for line in robust.lines(results, kept) if vary else ():
            print("\t".join(line))
        print(f"reproduce: {folder if root else 'results are kept by --results=DIR only'}", file=sys.stderr)
    return results
