"""python -m experiments.runs list|show|diff|samples|export: lists runs, shows a run, compares two."""

import json
from pathlib import Path

from attention_lab.config import Config, all_fields, differences, get
from attention_lab.config.registries import score_names
from attention_lab.config.values import show as spelled
from attention_lab.data.detokenize import restore
from attention_lab.storage import checksums, predictions, runs, table_files
from experiments import flags
from experiments.flags import say

WORDS = "list [PARENT] | show DIR | diff DIR DIR | samples DIR | export [PARENT]"
PROGRAM = flags.Program("runs", "Lists runs, shows a run or samples of it, compares two, writes a table.", {
    "columns": flags.Flag("", "list: numbers of result.json to show; empty: all scores, and train_seconds"),
    "count": flags.Flag(5, "samples: number of examples", low=1),
    "sort": flags.Flag("", "list: a column to sort by, the largest first; empty: by path"),
    "out": flags.Flag("", "export: the new file, whose name ends in .csv or .parquet"),
}, config="none", words=WORDS, device=False)
LANGUAGES = {"source": "en", "reference": "fr", "translation": "fr"}


def main(options: flags.Options) -> int:
    """Prints tab-separated lines; status 1, and a line on stderr, for a run that can't be read."""
    actions = {"list": (table, 0, 1), "show": (show, 1, 1), "diff": (diff, 2, 2),
               "samples": (samples, 1, 1), "export": (export, 0, 1)}
    action, *paths = options.words or [""]
    if action not in actions:
        raise ValueError(f"{action!r} is not one of {', '.join(actions)}: {WORDS}")
    function, least, most = actions[action]
    if not least <= len(paths) <= most:
        raise ValueError(f"{action} with {len(paths)} folders: {WORDS}")
    return function(options, *paths)


def table(options: flags.Options, parent: str = "runs") -> int:
    """Prints a line per run: folder, status, fields that differ between the runs, numbers of its result.

    Where runs of the same fields of data were trained on different text, the first digits of its sha256, too.
    """
    collected, damaged = runs.collect(parent)
    columns = [name.strip() for name in options.columns.split(",") if name.strip()] or [
        *(name for name in score_names() if any(name in (run.result or {}) for run in collected)),
        "train_seconds"]
    if options.sort and options.sort not in columns:
        raise ValueError(f"--sort={options.sort} is not among --columns={','.join(columns)}")
    varied = [key for key, field in all_fields().items()
              if field.recorded and len({get(run.config, key) for run in collected}) > 1]
    if options.sort:
        collected.sort(key=lambda run: -_number((run.result or {}).get(options.sort)))
    texts = [run.facts.get("data", {}).get("sha256", "")[:12] for run in collected]
    differ = len({(run.config.data, text) for run, text in zip(collected, texts) if text}) > len(
        {run.config.data for run, text in zip(collected, texts) if text})
    print("\t".join(["folder", "status", *["text"] * differ, *varied, *columns]))
    for run, text in zip(collected, texts):
        result = run.result or {"status": "unfinished"}
        fields = [get(run.config, key) for key in varied] + [result.get(name) for name in columns]
        print("\t".join([str(run.folder), result["status"], *[text] * differ, *map(spelled, fields)]))
    for line in damaged:
        say(line)
    return 1 if damaged else 0


def _number(value: object) -> float:
    """A value to sort by: one that is no number, such as that of a run that diverged, is the smallest."""
    return value if isinstance(value, (int, float)) else float("-inf")


def show(options: flags.Options, folder: str) -> int:
    """Prints a run's provenance, the fields that differ from their defaults, and its result."""
    run = runs.load_run(folder, finished=False)
    for name, value in run.facts.items():
        print(f"{name}\t{value if isinstance(value, str) else json.dumps(value)}")
    for key, (value, default) in differences(run.config, Config()).items():
        print(f"config.{key}\t{spelled(value)}\t(default {spelled(default)})")
    for name, value in (run.result or {"status": "unfinished"}).items():
        print(f"{name}\t{value}")
    return 0


def samples(options: flags.Options, folder: str) -> int:
    """Prints the first examples of the scored split, translations detokenised."""
    run = runs.load_run(folder)
    path = Path(folder) / checksums.PREDICTIONS
    checksums.check(run.folder, run.facts, [checksums.PREDICTIONS])
    if not path.exists():
        raise ValueError(f"{path} is not there: only a run that translates or classifies has samples")
    # Runs that escaped some characters in predictions.tsv recorded no checksum of it.
    recorded, raw = checksums.PREDICTIONS in run.facts.get("files", {}), run.config.data.text == "raw"
    for row in predictions.read(path, as_written=recorded)[:options.count]:
        for name, text in row.items():
            if name in LANGUAGES and not raw:
                text = restore(text, LANGUAGES[name], capitalize=True)
            print(f"{name:12} {text}")
        print()
    return 0


def export(options: flags.Options, parent: str = "runs") -> int:
    """Writes a row per run: folder, status, sha256 of its text, its whole config, its whole result."""
    if not options.out:
        raise ValueError("--out is not given: export writes --out=FILE.csv or --out=FILE.parquet")
    write = table_files.writer(options.out)
    collected, damaged = runs.collect(parent)
    rows = []
    for run in collected:
        result = run.result or {"status": "unfinished"}
        rows.append({"folder": str(run.folder), "status": result["status"],
                     "text_sha256": run.facts.get("data", {}).get("sha256"),
                     **{f"config.{key}": get(run.config, key) for key in all_fields()},
                     **{name: value for name, value in result.items() if name != "status"}})
    write(rows)
    print(options.out)
    for line in damaged:
        say(line)
    return 1 if damaged else 0


def diff(options: flags.Options, first: str, second: str) -> int:
    """Prints the fields and results that differ between two runs: name, first, second."""
    pair = [runs.load_run(Path(folder), finished=False) for folder in (first, second)]
    for key, (a, b) in differences(*(run.config for run in pair)).items():
        print(f"config.{key}\t{spelled(a)}\t{spelled(b)}")
    results = [run.result or {"status": "unfinished"} for run in pair]
    for name in dict.fromkeys([*results[0], *results[1]]):
        a, b = (result.get(name) for result in results)
        if a != b:
            print(f"{name}\t{a}\t{b}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
