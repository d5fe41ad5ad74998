"""Classified text that is bad: refused in one line with status 2, or counted, reported and gone on with."""

import json

import pytest

from experiments import train
from tests.experiments.words import SENSES, SENTIMENT, TINY, trained, write_films, write_word


@pytest.fixture
def words(tmp_path):
    write_word(tmp_path / "words", "club", ["golf", "music"])
    return write_word(tmp_path / "words", "bank", ["money", "rivers"])


@pytest.fixture
def refused(call, tmp_path):
    """refused(config, *flags, parts): the line is on stderr alone and has the parts; nothing was trained."""
    def check(config, *given, parts):
        status, out, err = call(train, f"{config},smoke", *TINY, f"--workdir={tmp_path}/run", *given)
        assert (status, out) == (2, "") and err.count("\n") == 1 and err.startswith("train: error: ")
        for part in parts:
            assert part in err, err
        assert not (tmp_path / "run" / "checkpoints").exists()
    return check


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("file, old, new, parts", [
    ("train.data.txt", "2\t", "9\t", ["bank/train.data.txt: line 1", "index 9", "7 words from 0 to 6"]),
    ("train.data.txt", "2\t", "-1\t", ["bank/train.data.txt: line 1", "index -1"]),
    ("train.data.txt", "2\t", "two\t", ["line 1", "'two' is no index"]),
    ("train.gold.txt", "0\n", "", ["has 24 lines", "has 23", "each sentence has one class"]),
    ("train.gold.txt", "0\n", "7\n", ["train.gold.txt: line 1", "class '7' is none of 0, 1"]),
    ("classes_map.txt", '"rivers"', '"money"', ["two class numbers have the same name"]),
])
def test_a_folder_that_can_not_be_read(refused, words, file, old, new, parts):
    change(words / file, old, new)
    refused(f"{SENSES}:coarsewsd", f"--config.data.directory={words.parent}", parts=parts)


def test_a_class_in_test_that_train_lacks(refused, words, tmp_path):
    change(words / "classes_map.txt", "}", ', "2": "snow"}')
    change(words / "test.gold.txt", "0\n", "2\n")
    refused(f"{SENSES}:coarsewsd", f"--config.data.directory={words.parent}",
            parts=["the class 'snow' of 'bank' is in test but not in train, which has money, rivers"])
    path = write_films(tmp_path / "films.csv")
    change(path, ",0,test", ",2,test")
    refused(f"{SENTIMENT}:sst", f"--config.data.path={path}",
            parts=["the class '2' is in test but not in train"])


def test_a_word_that_is_not_in_the_folder(refused, words):
    refused(f"{SENSES}:coarsewsd", f"--config.data.directory={words.parent}", "--config.data.word=bnak",
            parts=["'bnak' is not in", "which has bank, club", "did you mean bank?"])
    refused(f"{SENSES}:coarsewsd", f"--config.data.directory={words.parent}/none", parts=["data.directory"])
    refused(f"{SENSES}:coarsewsd", parts=["data.directory is not set"])


@pytest.mark.parametrize("text, parts", [
    ("the 1 2\nbank 1 2 3\n", ["line 2", "2"]),
    ("2 16\nthe " + "1 " * 16 + "\nbank " + "1 " * 15 + "\n", ["line 3 has 15 numbers, 16 are needed"]),
    ("the" + " 1" * 7 + "\nbank" + " 1" * 7 + "\n", ["model.width=16", "has vectors of 7 numbers"]),
    ("", ["no vectors in it"]),
    ("bank" + " x" * 16 + "\n", ["line 1"]),
])
def test_vectors_that_do_not_fit(refused, words, tmp_path, text, parts):
    (tmp_path / "vectors.txt").write_text(text)
    refused(f"{SENSES}:coarsewsd", f"--config.data.directory={words.parent}",
            f"--config.data.vectors={tmp_path}/vectors.txt", parts=["vectors.txt", *parts])


def test_a_tsv_whose_index_is_outside_its_sentence(refused, tsv):
    path = tsv(b"0\tbank one\tmoney\n2\tthe bank\tmoney\n")
    refused(f"{SENSES}:tsv", f"--config.data.path={path}", parts=[
        "line 2: index 2 is outside the sentence, which has 2 words from 0 to 1"])


def test_a_guide_that_is_no_run(refused, tmp_path):
    refused(f"{SENTIMENT}:uniform", "--config.attention.weights=frozen",
            f"--config.attention.guide={tmp_path}/none", parts=["there is no such folder"])
    refused(f"{SENTIMENT}:uniform", "--config.attention.weights=frozen", parts=["attention.guide=''"])


def test_oddities_are_counted_reported_and_gone_on_with(tmp_path):
    place = write_word(tmp_path / "words", "bank", ["money", "rivers"], names=["money", "rivers", "snow"],
                       end="\r\n")
    for number in (0, 2):
        data = place / "train.data.txt"
        data.write_bytes(data.read_bytes().replace(f"2\tin the bank of money train {number}\r".encode(),
                                                   f"1\tin the bank of money train {number}\r".encode()))
    err = trained(f"{SENSES}:coarsewsd,target_only,smoke", *TINY, f"--config.data.directory={tmp_path}/words",
                  f"--workdir={tmp_path}/run", "--config.data.shots=11")
    assert "48 cr line ends" in err and "2 index off word" in err and "1 empty class" in err
    assert "2 classes below shots" in err and "Traceback" not in err
    facts = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert {name: facts[f"train_{name}"] for name in (
        "cr_line_ends", "index_off_word", "empty_classes", "classes_below_shots")} == {
            "cr_line_ends": 48, "index_off_word": 2, "empty_classes": 1, "classes_below_shots": 2}
    # An index that is off its word makes no other word one of its forms.
    assert json.loads((tmp_path / "run" / "classes.json").read_text())["forms"] == {"bank": "bank"}
