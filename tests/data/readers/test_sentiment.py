"""Sentiment in CSV files and in folders of one file per class."""

import gzip
import re

import pytest

from attention_lab.data import labelled
from attention_lab.data.readers import sentiment_csv, sentiment_files

HEADER = "text,label,exp_split\n"
ROWS = "good film,1,train\nbad film,0,train\nso good,1,dev\nso bad,0,test\n"


def write(folder, text):
    path = folder / "s.csv"
    path.write_bytes(text.encode())
    return path


def test_reads_the_splits_of_a_csv(tmp_path):
    text = ('exp_split,more,text,label\ntrain,,"good, ""very""  good",1\r\ntrain,x,\u00a0,1\n\ntrain,,bad,0\n'
            'train,,fair,middling\ndev,,bad,0\ntest,,worse,0\n')
    parts = sentiment_csv.read(write(tmp_path, text))
    assert list(parts) == ["train", "dev", "test"]
    train = parts["train"]
    assert train.text == ['good, "very" good', "bad", "fair"]
    assert train.label == ["1", "0", "middling"]
    assert (train.position, train.word, train.truth) == ([-1] * 3, [""] * 3, None)
    assert train.counts == {"byte_order_mark": 0, "cr_line_ends": 1, "empty_lines": 1, "odd_spaces": 1,
                            "sentences": 3}
    assert parts["dev"].counts == parts["test"].counts == {"sentences": 1}  # what is odd is told once
    assert sentiment_csv.read(tmp_path / "s.csv", "test")["test"].counts["empty_lines"] == 1
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert sentiment_csv.read(tmp_path / "s.csv.gz") == parts


@pytest.mark.parametrize("given, read", [
    (("0", "1"), ("negative", "positive")), (("0", "negative"), ("0", "negative")), (("1", "2"), ("1", "2")),
    (("positive", "1"), ("positive", "1")), (("0.0", "1"), ("0.0", "1"))])
def test_labels_are_what_the_file_says(tmp_path, given, read):
    rows = "".join(f"{split} film {i},{label},{split}\n" for split in ("train", "dev", "test")
                   for i, label in enumerate(given))
    parts = sentiment_csv.read(write(tmp_path, HEADER + rows))
    assert [tuple(part.label) for part in parts.values()] == [read] * 3


def test_spaces_around_labels_are_counted(tmp_path):
    read = sentiment_csv.read(write(tmp_path, HEADER + ROWS + "fine, 1,train\ngrand,1\u00a0,train\n"))
    assert read["train"].counts["odd_spaces"] == 2 and set(read["train"].label) == {"negative", "positive"}


@pytest.mark.parametrize("text, message", [
    ("text,label\n" + ROWS, "line 1 has no columns named 'exp_split'; the header needs text, label, "),
    ("text,label,text,exp_split\n", "line 1 has 2 columns named 'text'"),
    ("", "line 1 has no columns named 'text'"),
    (HEADER + ROWS + "fine,1,valid\n", "line 6: exp_split 'valid' is none of train, dev, test"),
    (HEADER + ROWS + "fine,1\n", "line 6 has 2 fields, the header has 3"),
    (HEADER + ROWS + "fine,,train\n", "line 6 has no label"),
    (HEADER + ROWS + '"fine",1,train\n"so" fine,1,train\n', "line 7: "),
    (HEADER + ROWS + '"fine,1,train\n', "line 6: "),
    (HEADER + ROWS.replace("dev", "train"), "no sentence with exp_split dev"),
    (HEADER + ROWS + "meh,2,dev\n", "the class '2' is in dev but not in train, which has 0, 1"),
    (HEADER + ROWS + "meh,2,test\n", "the class '2' is in test but not in train"),
])
def test_a_bad_csv_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=f"s.csv: {message}") as caught:
        sentiment_csv.read(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_reads_a_file_for_each_class(tmp_path):
    (tmp_path / "sad.txt").write_text("so sad\n\n")
    (tmp_path / "glad.txt.gz").write_bytes(gzip.compress("so glad \nmost glad\r\n".encode()))
    (tmp_path / "README.md").write_text("two classes\n")
    (tmp_path / ".hidden").write_text("x\n")
    (tmp_path / "more").mkdir()
    read = sentiment_files.read(tmp_path)
    assert (read.text, read.label) == (["so glad", "most glad", "so sad"], ["glad", "glad", "sad"])
    assert (read.position, read.word, read.truth) == ([-1] * 3, [""] * 3, None)
    assert read.counts == {"byte_order_mark": 0, "cr_line_ends": 1, "empty_lines": 1, "odd_spaces": 1,
                           "empty_classes": 0, "files_left_out": [".hidden", "README.md", "more"],
                           "sentences": 3}


def test_files_of_one_name_are_told_by_their_endings(tmp_path):
    for name in ("rt.pos", "rt.neg", "rt.nega"):
        (tmp_path / name).write_text(f"{name}\n")
    read = sentiment_files.read(tmp_path)
    assert list(zip(read.text, read.label)) == [("rt.nega", "nega"), ("rt.neg", "negative"),
                                                ("rt.pos", "positive")]  # sorted by class


@pytest.mark.parametrize("name", [
    "desktop.ini", "Thumbs.db", "labels.txt", "Classes.txt", "README", ".DS_Store", "._sad.txt", "sad.txt~",
    "glad.txt.bak", "metadata.json", "LICENSE.gz", "#sad.txt#", "glad.txt.1", "sad.txt.save", "glad.txt.rej",
    "sad (copy).txt", "sad (1).txt", "glad - Copy (2).txt", "Copy of sad.txt", "NOTICE", "AUTHORS.txt",
    "_SUCCESS", "Icon\r", "nohup.out", "train.log", "stats.csv", "model.bin", "CONTRIBUTING.md", "scores"])
def test_files_that_are_no_class_are_left_out_and_named(tmp_path, name):
    for label in ("sad", "glad"):
        (tmp_path / f"{label}.txt").write_text(f"so {label}\n")
    (tmp_path / name).write_bytes(b"\xff\xfe\x00 no sentence\n")
    read = sentiment_files.read(tmp_path)
    assert read.label == ["glad", "sad"] and read.counts["files_left_out"] == [name]
    (tmp_path / "sad.txt").unlink()
    if not name.startswith(("stats", "model", "scores")):  # which are one class of two
        with pytest.raises(ValueError, match=rf"has 1 class \({re.escape(name)} left out\), not 2"):
            sentiment_files.read(tmp_path)


@pytest.mark.parametrize("names, labels, left_out", [
    (["rt.pos", "rt.neg", "notes.txt"], ["negative", "positive"], ["notes.txt"]),
    (["sad", "glad", "notes.txt"], ["glad", "sad"], ["notes.txt"]),
    (["sad.txt", "glad.csv"], ["glad", "sad"], []),
    (["1.0.txt", "2.0.txt", "table.csv"], ["1", "2"], ["table.csv"]),
    (["level 1.txt", "level 2.txt", "level (b).txt"], ["level (b)", "level 1", "level 2"], [])])
def test_the_files_of_classes_are_of_one_kind(tmp_path, names, labels, left_out):
    for name in names:
        (tmp_path / name).write_text(f"{name}\n")
    read = sentiment_files.read(tmp_path)
    assert (sorted(read.label), read.counts["files_left_out"]) == (labels, left_out)


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="data.directory: .*gone: No such file or directory"):
        sentiment_files.read(tmp_path / "gone")
    (tmp_path / "sad.txt").write_text("so sad\n")
    with pytest.raises(ValueError, match="has 1 class, not 2 or more"):
        sentiment_files.read(tmp_path)
    (tmp_path / "glad.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match="glad.txt: line 1 is not UTF-8"):
        sentiment_files.read(tmp_path)
    (tmp_path / "glad.txt").write_text(" \n")
    with pytest.raises(ValueError, match="glad, sad, 1 have no sentence; two classes that have some"):
        sentiment_files.read(tmp_path)
    (tmp_path / "calm.txt").write_text("so calm\n")
    read = sentiment_files.read(tmp_path)
    assert (read.label, read.counts["empty_classes"]) == (["calm", "sad"], 1)
    (tmp_path / "glad.en").write_text("glad\n")
    with pytest.raises(ValueError, match="glad.en and glad.txt are both of class 'glad'"):
        sentiment_files.read(tmp_path)


def test_the_real_sst(data_folder):
    parts = sentiment_csv.read(data_folder / "attention-explanation" / "sst_dataset.csv.gz")
    assert {name: len(part) for name, part in parts.items()} == {"train": 6920, "dev": 872, "test": 1821}
    assert {name: part.label.count("positive") for name, part in parts.items()} == {
        "train": 3610, "dev": 444, "test": 909}
    assert labelled.classes(parts["train"]) == {"": ("negative", "positive")}


def test_the_real_snippets(data_folder):
    read = sentiment_files.read(data_folder / "cornell-polarity")
    assert (read.label.count("positive"), read.label.count("negative")) == (5331, 5331)
    assert read.text[0] == "simplistic , silly and tedious ." and read.label[0] == "negative"
    assert len(read.counts["files_left_out"]) == 1
    rest, held = labelled.hold_out(read, 0.1, 0)
    assert (held.label.count("positive"), held.label.count("negative"), len(rest)) == (533, 533, 9596)
