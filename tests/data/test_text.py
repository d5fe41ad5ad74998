"""Text files as streams: splits, contexts that hold each token once, and texts that can't be used."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.data import lines, sources, text, tokenizers
from attention_lab.data.vocabulary import EOS, PAD, UNKNOWN

WORDS = tokenizers.train("word", ["a b c d e f g"], 30)


@pytest.fixture
def file(tmp_path):
    """A function that writes a file and gives its path."""
    def write(content, name="text.txt"):
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return write


def test_splits_follow_one_another_and_are_the_text(file):
    path = file(b"a b\r\nc\n\n d  e\nf\ng")
    parts = text.split(path, 2, 1)
    found = {name: list(part.lines()) for name, part in parts.items()}
    assert found == {"train": ["a b", "c", ""], "dev": ["d e", "f"], "test": ["g"]}
    assert parts["train"].counts == {"lines": 3}


def test_a_whole_text_has_all_lines(file):
    whole = text.whole(file(b"a b\n\nc\n"))
    assert list(whole.lines()) == ["a b", "", "c"] and whole.counts == {"lines": 3}
    with pytest.raises(ValueError, match="has no text: of 2 lines all are empty"):
        text.whole(file(b"\n\n"))


def test_contexts_hold_every_token_once_after_the_one_before(file):
    part = text.split(file(b"a b\nc\nd e f\ng\ng\n"), 1, 1)["train"]
    contexts = part.contexts(WORDS, 3)
    a, b, c, d, e, f = WORDS.encode(["a b c d e f"])[0]
    assert contexts.target.tolist() == [[a, b, EOS], [c, EOS, d], [e, f, EOS]]
    assert contexts.source.tolist() == [[EOS, a, b], [EOS, c, EOS], [d, e, f]]
    assert contexts.bytes == len("a b\nc\nd e f\n") and contexts.surprisal is None
    assert part.contexts(WORDS, 5).target.tolist() == [[a, b, EOS, c, EOS], [d, e, f, EOS, PAD]]


@given(st.lists(st.text("abgz ", max_size=9), min_size=3, max_size=9), st.integers(2, 11))
def test_the_lines_can_be_read_from_the_contexts(tmp_path_factory, rows, length):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("a\n" + "\n".join(rows) + "\n")
    part = text.split(path, 1, 1)["train"]
    flat = part.contexts(WORDS, length).target.reshape(-1)
    tokens = flat[flat != PAD].tolist()
    assert (flat == PAD).sum() < length
    assert tokens == [token for row in WORDS.encode(list(part.lines())) for token in (*row, EOS)]


def test_training_batches_go_through_all_contexts(file):
    batches, count = text.split(file(b"a b c d\n" * 9), 1, 1)["train"].training(WORDS, 5, 8)
    assert count == 7
    steps = batches(3, 0)
    first = [next(steps) for _ in range(3)]
    assert {int(i) for batch in first[:1] for i in batch["example"]} == set(range(7))
    again = next(batches(3, 2))
    assert all(np.array_equal(again[name], first[2][name]) for name in again)


def test_a_large_text_is_encoded_in_parts_and_its_vocabulary_is_of_its_beginning(file, monkeypatch):
    path = file(b"a b\nc d\n" * 20 + b"e\nf\n")
    whole = text.split(path, 1, 1)["train"]
    contexts, sample = whole.contexts(WORDS, 7), whole.sample()
    monkeypatch.setattr(text, "ENCODED", 3)
    monkeypatch.setattr(text, "LEARNT_FROM", 9)
    assert np.array_equal(whole.contexts(WORDS, 7).target, contexts.target)
    assert len(sample) == 40 and whole.sample() == ["a b", "c d", "a b"]


def test_lines_that_train_has_too_are_counted(file):
    parts = text.split(file(b"a\nb\n\nc\na\n\nd\nb\n"), 2, 2)
    assert parts["dev"].counts == {"lines": 2, "lines_also_in_train": 1}
    assert parts["test"].counts == {"lines": 2, "lines_also_in_train": 1}


def test_bytes_know_every_text(file):
    part = text.split(file("é\n漢\n x\n".encode()), 1, 1)["dev"]
    tokenizer = tokenizers.train("byte", ["a"], 6000)
    target = part.contexts(tokenizer, 4).target
    assert not (target == UNKNOWN).any() and tokenizer.size == 260
    assert (target != PAD).sum() == len(" 漢\n".encode())
    assert part.contexts(tokenizer, 4).bytes == len("漢\n".encode())


def test_packed_text_is_the_same_text(file):
    content = b"a b\nc\nd\n"
    plain, packed = (text.split(file(part, name), 1, 1)["train"]
                     for part, name in ((content, "text.txt"), (gzip.compress(content), "text.gz")))
    assert sources.digest({"train": plain}) == sources.digest({"train": packed})
    other = text.split(file(b"a c\nc\nd\n"), 1, 1)["train"]
    assert sources.digest({"train": other}) != sources.digest({"train": packed})


@pytest.mark.parametrize("content, message", [
    (b"", "has no text: it is empty"),
    (b"\n \n\n\n", "has no text: of 4 lines all are empty"),
    (b"a b c", "has no line end: a text of several lines is needed"),
    (b"a\rb\rc\r", "has no line end"),
    ("a\nb\ncaf\u00e9\n".encode("latin-1"), r"line 3 is not UTF-8 \(byte 0xe9\); convert the file to UTF-8"),
    ("a\nb\nc\n".encode("utf-16-le"), "line 1 has a NUL, which is in no text; if the file is UTF-16"),
    ("a\nb\nc\n".encode("utf-16"), "is UTF-16, as its first bytes say; convert it to UTF-8"),
    (b"a\nb\n", "^data.dev_size=1 and data.test_size=1 leave none of the 2 lines of .*: together at most 1")])
def test_a_text_that_cannot_be_used(file, content, message):
    with pytest.raises(ValueError, match=message) as raised:
        text.split(file(content), 1, 1)
    assert "\n" not in str(raised.value) and "text.txt" in str(raised.value)


def test_a_line_without_an_end_is_not_read_into_memory(file, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 10)
    assert list(lines.stream(file(b"a\n123456789\n"))) == ["a", "123456789"]
    with pytest.raises(ValueError, match="line 2 has no end within 10 bytes: break the text into lines"):
        list(lines.stream(file(b"a\n1234567890\n")))


def test_a_context_longer_than_the_text_is_refused(file):
    part = text.split(file(b"a b\nc\nd\n"), 1, 1)["train"]
    assert part.training(WORDS, 3, 8)[1] == 1
    with pytest.raises(ValueError, match="^data.context=4 is longer than the text: .* has 3 tokens to train "
                       "on; from 2 to 3 are allowed$"):
        part.training(WORDS, 4, 8)


def test_files_that_are_not_there(tmp_path):
    for path, problem in ((tmp_path, "is a folder"), (tmp_path / "none", "No such file or directory")):
        with pytest.raises(ValueError, match=f"^data.path={path}: can't be read: .*{problem}"):
            text.split(path, 1, 1)
