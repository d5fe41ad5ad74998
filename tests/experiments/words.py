"""Folders of classified text that tests of programs train on, and training without a fixture."""

import contextlib
import io
import pathlib

import pytest

from experiments import flags, train

ROOT = pathlib.Path(__file__).parents[2]
SENSES = f"--config={ROOT}/configs/disambiguation.py"
SENTIMENT = f"--config={ROOT}/configs/sentiment.py"
TINY = ["--config.data.max_length=16", "--config.data.buckets=16", "--config.training.batch_tokens=128"]


def write_word(folder, word, senses, count=12, names=None, end="\n"):
    """A word's folder of CoarseWSD-20: of each sense `count` sentences to train on, four to score on."""
    place = folder / word
    place.mkdir(parents=True)
    for split, size in (("train", count), ("test", 4)):
        rows = [(i, sense) for i in range(size) for sense in range(len(senses))]
        data = [f"2\tin the {word} of {senses[sense]} {split} {i}" for i, sense in rows]
        (place / f"{split}.data.txt").write_bytes((end.join(data) + end).encode())
        (place / f"{split}.gold.txt").write_bytes((end.join(str(sense) for _, sense in rows) + end).encode())
    named = ", ".join(f'"{i}": "{name}"' for i, name in enumerate(names or senses))
    (place / "classes_map.txt").write_text(f"{{{named}}}")
    return place


def write_films(path):
    """A CSV of sentiment."""
    rows = [f"a {('dull', 'fine')[i % 2]} film {i},{i % 2},{split}\n"
            for split in ("train", "dev", "test") for i in range(16)]
    path.write_text("text,label,exp_split\n" + "".join(rows))
    return path


def trained(*argv):
    """Trains by the command line's words; what was said on stderr."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()), \
            pytest.raises(SystemExit) as ended:
        flags.run(train.main, train.PROGRAM, list(argv))
    assert ended.value.code == 0, err.getvalue()
    return err.getvalue()
