"""Oddities of a corpus, a line each."""

from attention_lab.data import tokenizers
from attention_lab.data.anomalies import anomalies

TOKENIZER = tokenizers.train("word", ["the dog sees"], 100)


def test_what_was_counted_and_what_training_never_had():
    corpus = {"train": ({"pairs": 3, "empty_lines": 2, "duplicates": 0}, ["a cat"]),
              "dev": ({"pairs": 2}, ["the cat sees", "a cat"]),
              "test": ({}, ["the dog"])}
    assert anomalies(corpus, "pairs", TOKENIZER, 4, 7) == [
        "train: 2 empty lines",
        "dev: 3 words never seen in training (cat a)",
        "train: 4 pairs are longer than 7 tokens and left out"]


def test_what_was_left_out_is_named():
    counts = {"files_left_out": ["labels.txt", "README"], "empty_lines": 1}
    assert anomalies({"train": (counts, [])}, "sentences", TOKENIZER) == [
        "train: 2 files left out (labels.txt, README), 1 empty line"]


def test_what_would_move_the_cursor_is_escaped():
    corpus = {"train": ({"files_left_out": ["Icon\r"]}, []), "dev": ({}, ["the \x1b[2Jcat été"])}
    assert anomalies(corpus, "sentences", TOKENIZER) == [
        r"train: 1 file left out (Icon\r)", r"dev: 2 words never seen in training (\x1b[2Jcat été)"]


def test_nothing_odd_says_nothing():
    corpus = {"train": ({"sentences": 5}, ["x"]), "dev": ({}, ["dog"])}
    assert anomalies(corpus, "sentences", TOKENIZER, 0, 7) == []
