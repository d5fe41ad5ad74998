"""Lines of stdin: given out once no more input waits, in large parts otherwise; a bad one is empty."""

import io
import os
import types

import pytest

from experiments import stdin


@pytest.fixture
def pipe(monkeypatch):
    """A pipe that is stdin: the function that writes into it, and closes it for None."""
    reading, writing = os.pipe()
    with open(reading, "rb") as stream:
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stream))
        yield lambda content: os.write(writing, content) if content is not None else os.close(writing)


def test_a_line_is_given_out_when_no_more_waits(pipe):
    parts = stdin.parts()
    for lines in ([b"one"], [b"two", b"", b"three"], [b"four"]):
        pipe(b"".join(line + b"\n" for line in lines))
        assert next(parts) == [line.decode() for line in lines]
    pipe(b"half a li")
    pipe(b"ne\nand no end")
    assert next(parts) == ["half a line"]
    pipe(None)
    assert list(parts) == [["and no end"]]


def test_what_waits_goes_together(pipe, monkeypatch):
    monkeypatch.setattr(stdin, "AT_ONCE", 400)
    pipe(b"".join(b"%d\r\n" % i for i in range(1000)))
    pipe(None)
    parts = list(stdin.parts())
    assert [len(part) for part in parts] == [400, 400, 200]
    assert sum(parts, []) == [str(i) for i in range(1000)]


def test_a_line_longer_than_a_read_is_whole(pipe, monkeypatch):
    monkeypatch.setattr(stdin, "CHUNK", 10)
    pipe(b"a" * 25 + "é".encode() * 30 + b"\nb\n")
    pipe(None)
    assert sum(stdin.parts(), []) == ["a" * 25 + "é" * 30, "b"]


def test_a_file_goes_in_the_largest_parts(monkeypatch, tmp_path):
    (tmp_path / "lines").write_bytes(b"\n" * 2500)
    with open(tmp_path / "lines", "rb") as file:
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=file))
        assert [len(part) for part in stdin.parts()] == [1000, 1000, 500]


def test_an_input_in_utf16_is_refused_with_the_remedy(monkeypatch):
    stream = io.BytesIO("a\nb\n".encode("utf-16"))
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stream))
    with pytest.raises(ValueError, match="standard input: is UTF-16, .*: iconv -f utf-16 -t utf-8"):
        list(stdin.parts())


def test_a_line_that_is_no_text_is_empty_and_said_with_its_number(monkeypatch):
    said = []
    monkeypatch.setattr(stdin, "say", said.append)
    stream = io.BytesIO(b"\xef\xbb\xbfa\nb\nc\xe9\nd\n\xff")
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stream))
    monkeypatch.setattr(stdin, "AT_ONCE", 2)
    assert list(stdin.parts()) == [["a", "b"], ["", "d"], [""]]
    assert said == ["line 3 is not UTF-8 (byte 0xe9): it has no answer",
                    "line 5 is not UTF-8 (byte 0xff): it has no answer"]
