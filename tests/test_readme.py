"""README and docs/: every command in them runs, in its smoke form, and every path they name is there."""

import gzip
import hashlib
import importlib
import io
import pathlib
import re
import shlex
import sys
import textwrap
import types

import pytest

from attention_lab.config import Config, replace
from attention_lab.storage import runs
from attention_lab.studies import load
from experiments import flags

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text()
COMMANDS = list(dict.fromkeys(  # those of extending.md are run by test_extending.py
    line.strip() for page in PAGES if page.stem != "extending" for line in page.read_text().splitlines()
    if "python -m experiments." in line and line.startswith("    ")))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the commands call DIR, SENTENCES, STORIES, WORDS, text.txt, other.txt and so on."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "DIR").mkdir()
    sentences = [(f"the dog {i} sees", f"le chien {i} voit") for i in range(40)]
    for split in ("train", "val", "test_2016_flickr"):
        for side, name in enumerate(("en", "fr")):
            text = "".join(pair[side] + "\n" for pair in sentences)
            (folder / "DIR" / f"{split}.lc.norm.tok.{name}").write_text(text)
            (folder / "DIR" / f"{split}.{name}").write_text(text)
    (folder / "SENTENCES").mkdir()
    (folder / "SENTENCES" / "subj_agr_filtered.text").write_text("the dog sees a cat . <eos>\n" * 30)
    (folder / "SENTENCES" / "subj_agr_filtered.gold").write_text("2\tsees\tsee\t0\n" * 30)
    (folder / "STORIES").mkdir()
    for name, text in (("Chien_sents", "0\tle chien voit\n1\toui\n"),
                       ("Dog_sents", "0\tthe dog sees\n1\tyes\n"),
                       ("ali_w2w_Chien_Dog", "0\t0-0 1-1 2p2\n1\t0-0\n")):
        (folder / "STORIES" / f"{name}.txt").write_text(text)
    (folder / "sentences.txt").write_text("the dog sees a cat .\n")
    (folder / "pairs.tsv").write_text("".join("\t".join(pair) + "\n" for pair in sentences))
    (folder / "text.txt").write_text("".join(f"{source}\n" for source, _ in sentences))
    (folder / "other.txt").write_text("the dog 7 sees\na cat 41 sees\n")
    (folder / "WORDS" / "bank").mkdir(parents=True)
    for split in ("train", "test"):
        for kind, line in (("data", "1\tthe bank {i}\n"), ("gold", "{odd}\n")):
            text = "".join(line.format(i=i, odd=i % 2) for i in range(20))
            (folder / "WORDS" / "bank" / f"{split}.{kind}.txt").write_text(text)
    (folder / "WORDS" / "bank" / "classes_map.txt").write_text('{"0": "money", "1": "river"}')
    rows = [f"film {i},{i % 2},{split}\n" for split in ("train", "dev", "test") for i in range(20)]
    with gzip.open(folder / "sst_dataset.csv.gz", "wt") as file:
        file.write("text,label,exp_split\n" + "".join(rows))
    for scale, bleu in ((1.0, 60.0), ("inverse_sqrt", 63.0)):
        for seed in range(6):
            run = runs.open_run(folder / "compared" / f"{scale}-{seed}",
                                replace(Config(), {"attention.scale": scale, "seed": seed}), "train")
            run.finish({"status": "finished", "test_bleu": bleu + seed * (bleu - 60.0) / 10})
            run.close()
    return folder


def smoke_form(command, place):
    """The words after the program's name; configs small, paths inside `place`, optional flags put in."""
    words = shlex.split(command.rpartition("|")[2].translate(str.maketrans("", "", "[]")))
    words = words[words.index("-m") + 1:]
    program = words[0].removeprefix("experiments.")
    changed = []
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if name == "--config":
            file, _, variant = value.partition(":")
            value = f"{file}:{variant + ',' if variant else ''}smoke"
            if variant not in ("", "first"):  # files of a few lines
                changed += [f"--config.data.vocabulary_size={260 if 'bytes' in variant else 60}",
                            "--config.data.dev_size=4",
                            "--config.data.test_size=4"]
        elif name in ("--workdir", "--run", "--attention", "--out", "--sentences", "--config.data.directory",
                      "--config.data.path", "--links"):
            value = str(place / value)
        elif name in ("--url", "--sha256"):
            file = place / "pairs.tsv"
            value = file.as_uri() if name == "--url" else hashlib.sha256(file.read_bytes()).hexdigest()
        elif name == "--path":
            value = str(place / "fetched.tsv")
        elif name == "--seeds" and ".." in value:
            changed.append("--dry_run")  # tests/experiments/test_looks.py runs it
        elif name in ("--trials", "--seeds"):
            value = "1"
        elif program in ("compare", "power") and word == "runs/translation":
            name = str(place / "compared")
        elif name in ("--figure", "--json", "--out"):
            value = str(place / value)
        elif program == "runs" and (word == "runs" or word.startswith("runs/")):
            name = str(place / word)
        changed.append(name + equals + value)
    return program, changed


@pytest.mark.once
def test_every_command_runs(place, capsys, monkeypatch):
    """In one test and in their order: later ones use the runs of earlier ones."""
    for command in COMMANDS:
        if "experiments.benchmark" in command:
            continue  # tests/experiments/test_benchmark.py runs it
        if "experiments.claims --check" in command:
            assert "experiments.claims --check" in (ROOT / ".ci" / "run").read_text()
            continue  # .ci/run runs it; it runs the trees of other commits
        if "--preset=smoke" in command:
            assert re.search(r"reproduce (\w+)", command)[1] in load.names(ROOT / "experiments" / "studies")
            assert 'experiments.reproduce "$study" --preset=smoke' in (ROOT / ".ci" / "run").read_text()
            continue  # .ci/run runs it, for the studies that reproduce --list names
        run(command, place, capsys, monkeypatch)


def run(command, place, capsys, monkeypatch):
    """Runs a command's smoke form; it has to end with status 0 and say something."""
    monkeypatch.chdir(ROOT)
    program, argv = smoke_form(command, place)
    if program in ("train", "sweep") and not any(
            word.startswith(("--workdir", "--help", "--dry_run")) for word in argv):
        argv.append(f"--workdir={place}/unnamed-{COMMANDS.index(command)}")
    stdin = io.BytesIO(b"the dog sees a cat at the bank .\n")
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stdin, isatty=lambda: False))
    module = importlib.import_module(f"experiments.{program}")
    with pytest.raises(SystemExit) as ended:
        flags.run(module.main, module.PROGRAM, argv)
    out, err = capsys.readouterr()
    assert ended.value.code == 0, f"{command}: {err}"
    assert out.strip(), command


def test_every_example_in_python_runs():
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, names)
    assert names["context"].shape == (5, 13)


@pytest.mark.parametrize("tracker, expected", [
    ("mlflow", {3: {"loss": 0.5}, 7: {"dev_bleu": 11.5}}),
    ("wandb", {3: {"step": 3, "loss": 0.5, "note": "a"}, 7: {"step": 7, "dev_bleu": 11.5}})])
def test_a_log_goes_to_a_tracker(tracker, expected, tmp_path, monkeypatch):
    """The indented block of docs/cli.md, with a module that notes what it is given in the tracker's place."""
    page = (ROOT / "docs" / "cli.md").read_text()
    code = re.search(rf"(?m)^    import json, {tracker}\n(?:    .*\n)+", page)[0]
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "metrics.jsonl").write_text(
        '{"step": 3, "loss": 0.5, "note": "a"}\n{"step": 7, "dev_bleu": 11.5}\n')
    logged = {}

    def log(row, step):
        logged[step] = row

    monkeypatch.setitem(sys.modules, tracker, types.SimpleNamespace(
        log_metrics=log, log=log, init=lambda project: None))
    monkeypatch.chdir(tmp_path)
    exec(textwrap.dedent(code), {})
    assert logged == expected


def test_every_program_is_shown():
    files = (ROOT / "experiments").glob("*.py")
    programs = {path.stem for path in files if "\nPROGRAM = " in path.read_text()}
    assert programs == {command.partition("-m experiments.")[2].split()[0] for command in COMMANDS}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_paths_are_there(page):
    rooms = r"(?<!new file )`((?:attention_lab|configs|experiments|tests)/[\w./]*)`"
    for path in re.findall(rooms, page.read_text()):
        assert (ROOT / path).exists(), path


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


def test_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
