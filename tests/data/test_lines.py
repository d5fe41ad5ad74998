"""Reading lines: what ends one, what is counted, what is refused."""

import gzip
import os

import pytest

from attention_lab.config import Config, replace
from attention_lab.data import lines
from attention_lab.data.content import files
from attention_lab.data.readers import vectors


def write(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85", "\r"])
def test_only_line_feeds_end_lines(tmp_path, odd):
    path = write(tmp_path / "a", f"one{odd}two\nthree\n".encode())
    assert lines.read_lines(path)[0] == [f"one{odd}two", "three"]


@pytest.mark.parametrize("content, expected", [
    (b"a\nb\n", ["a", "b"]), (b"a\nb", ["a", "b"]), (b"a\n\nb\n", ["a", "", "b"]),
    (b"a\n\n", ["a", ""]), (b"", []), (b"\n", [""])])
def test_the_last_line_may_lack_its_end(tmp_path, content, expected):
    assert lines.read_lines(write(tmp_path / "a", content))[0] == expected


def test_byte_order_mark_and_carriage_returns_are_counted(tmp_path):
    path = write(tmp_path / "a", b"\xef\xbb\xbfun\r\n\xc3\xa9t\xc3\xa9\r\ndeux\n")
    text, counts = lines.read_lines(path)
    assert text == ["un", "été", "deux"]
    assert counts == {"byte_order_mark": 1, "cr_line_ends": 2}


def test_carriage_returns_alone_end_lines_too(tmp_path):
    text, counts = lines.read_lines(write(tmp_path / "a", b"un\rdeux\r"))
    assert text == ["un", "deux"] and counts["cr_line_ends"] == 2


def test_gzip_is_known_by_name_and_by_content(tmp_path):
    packed = gzip.compress(b"a\nb\n")
    for name in ("a.gz", "a.txt"):
        assert lines.read_lines(write(tmp_path / name, packed))[0] == ["a", "b"]


@pytest.mark.parametrize("content", [
    b"plain text\n", b"", gzip.compress(b"abc\n" * 999, mtime=0)[:-9],
    gzip.compress(b"abc\n" * 999, mtime=0)[:5],
    gzip.compress(b"abc\n", mtime=0)[:-8] + b"\0" * 8])
def test_damaged_gzip_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match=r"a\.gz: damaged gzip: "):
        lines.read_lines(write(tmp_path / "a.gz", content))


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path):
    path = write(tmp_path / "a", "été\n".encode() + "été\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a: line 2 is not UTF-8 \(byte 0xe9\)"):
        lines.read_lines(path)


@pytest.mark.parametrize("content, line", [
    ("one\ntwo".encode("utf-16-le"), 1), (b"one\n\0\n", 2), (b"a\nb\nc\0d", 3)])
def test_a_nul_is_no_text_and_named_by_line(tmp_path, content, line):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=f"a: line {line} has a NUL, .* UTF-16"):
        lines.read_lines(tmp_path / "a")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_names_the_encoding_and_the_remedy(tmp_path, encoding):
    path, name = write(tmp_path / "a", "\ufeffone\ntwo\n".encode(encoding)), encoding[:6]
    message = f"a: is {name.upper()}, as its first bytes say; convert it to UTF-8: iconv -f {name} -t utf-8$"
    for read in (lines.read_lines, lambda path: list(lines.stream(path))):
        with pytest.raises(ValueError, match=message):
            read(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        for read in (lines.read_lines, lambda path: vectors.read(path, ["a"]),
                     lambda path: files(replace(Config(), {"data.vectors": str(path)}))):
            with pytest.raises(ValueError, match=f"{path}: is a pipe or a device"):
                read(path)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere: can't be read: No such file"):
        lines.read_lines(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="can't be read: Is a directory"):
        lines.read_lines(tmp_path)


def test_messages_are_one_line(tmp_path):
    with pytest.raises(ValueError) as error:
        lines.read_lines(write(tmp_path / "a", b"\xff\n"))
    assert "\n" not in str(error.value)
