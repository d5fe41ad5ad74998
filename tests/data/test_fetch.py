"""Fetching from a server on loopback: right, wrong, broken off, and not asked for twice."""

import hashlib
import http.server
import os
import stat
import subprocess
import sys
import threading

import pytest

from attention_lab.data import fetch

CONTENT = b"attention" * 300_001  # more than two blocks
RIGHT = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    """/good is whole, /short ends early, /chunked breaks off in a chunk, /length=X says so of its length,
    /again leads to itself, all else is missing.
    """

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/good" or self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path == "/good" else CONTENT[:1_500_000])
        elif self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ffff\r\nbroken")
        elif self.path == "/again":
            self.send_response(302)
            self.send_header("Location", "/again")
            self.end_headers()
        elif self.path.startswith("/length="):
            self.send_response(200)
            self.send_header("Content-Length", self.path.partition("=")[2])
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            self.send_error(404)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as running:
        running.requests = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_fetches_into_a_new_folder(server, tmp_path):
    fetch.fetch(f"{server.url}/good", RIGHT.upper(), tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert os.listdir(tmp_path / "new") == ["file"]
    assert os.stat(tmp_path / "new" / "file").st_mode & 0o777 == 0o644


def test_the_right_file_is_not_asked_for_again(server, tmp_path):
    for _ in range(2):
        fetch.fetch(f"{server.url}/good", RIGHT, tmp_path / "file")
    assert server.requests == ["/good"]


def test_a_wrong_file_is_replaced(server, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    fetch.fetch(f"{server.url}/good", RIGHT, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("page, sha256, message", [
    ("/good", "0" * 64, f"sha256 is {RIGHT}, expected 0000"),
    ("/short", RIGHT, "broke off after 1500000 of 2700009 bytes"),
    ("/chunked", RIGHT, "can't be fetched"), ("/missing", RIGHT, "can't be fetched: Not Found"),
    ("/good", "abc", "'abc' is not 64 hexadecimal digits"),
    ("/été 1.tsv?a=b%20c", RIGHT, "/été 1.tsv.* can't be fetched: Not Found"),
    ("/again", RIGHT, "can't be fetched: The HTTP server .* would lead to an infinite loop. The last"),
    ("/length=many", RIGHT, "/length=many: can't be fetched: its Content-Length, 'many', is no number"),
    ("/length=-5", RIGHT, "/length=-5: can't be fetched: its Content-Length, '-5'"),
    ("/length=2700009,2700009", RIGHT, "'2700009,2700009', is no number"),
    ("/length=" + "9" * 5000, RIGHT, f"its Content-Length, '{'9' * 40}', is no number"),
    ("/length=1e3", RIGHT, "its Content-Length, '1e3'")])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_failure_leaves_all_as_it_was(server, tmp_path, page, sha256, message, before):
    if before:
        (tmp_path / "file").write_bytes(before)
    with pytest.raises(ValueError, match=message):
        fetch.fetch(server.url + page, sha256, tmp_path / "file")
    assert os.listdir(tmp_path) == (["file"] if before else [])
    assert not before or (tmp_path / "file").read_bytes() == before


def test_letters_beyond_ascii_are_asked_for_as_a_url_spells_them(server, tmp_path):
    with pytest.raises(ValueError):
        fetch.fetch(server.url + "/été 1.tsv?a=b%20c&d=e", RIGHT, tmp_path / "file")
    assert server.requests == ["/%C3%A9t%C3%A9%201.tsv?a=b%20c&d=e"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("pipe", "link"):
        with pytest.raises(ValueError, match=f"{name}: can't be written: it is no file"):
            fetch.fetch((tmp_path / "empty").as_uri(), hashlib.sha256().hexdigest(), tmp_path / name)
    assert stat.S_ISFIFO(os.stat(tmp_path / "link").st_mode) and (tmp_path / "link").is_symlink()


def test_a_stopped_download_leaves_nothing(server, tmp_path, monkeypatch):
    def stop(url):
        yield b"some"
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "download", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(f"{server.url}/good", RIGHT, tmp_path / "file")
    assert os.listdir(tmp_path) == []


def test_an_empty_file_is_a_file(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    fetch.fetch((tmp_path / "empty").as_uri(), hashlib.sha256().hexdigest(), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


def test_a_full_disk_is_said_of_the_file_and_not_of_the_url(server, tmp_path):
    script = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
              "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
              "from attention_lab.data import fetch; fetch.fetch(*sys.argv[1:])")
    done = subprocess.run([sys.executable, "-c", script, f"{server.url}/good", RIGHT, tmp_path / "file"],
                          capture_output=True, text=True)
    assert done.stderr.endswith(f"ValueError: {tmp_path}/file: can't be written: File too large\n")
    assert os.listdir(tmp_path) == []


def test_no_server_and_no_url_are_refused(tmp_path):
    for url in ("http://127.0.0.1:9/file", "file"):
        with pytest.raises(ValueError, match="can't be fetched") as error:
            fetch.fetch(url, RIGHT, tmp_path / "file")
        assert "\n" not in str(error.value)


def test_a_place_that_cannot_be_written_is_refused(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="can't be written"):
        fetch.fetch(f"{server.url}/good", RIGHT, tmp_path / "file" / "inside")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="folder: can't be written"):
        fetch.fetch(f"{server.url}/good", RIGHT, tmp_path / "folder")


def test_without_a_checksum_what_comes_is_kept(server, tmp_path):
    fetch.fetch(f"{server.url}/good", None, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(ValueError, match="broke off"):
        fetch.fetch(f"{server.url}/short", None, tmp_path / "other")
    with pytest.raises(ValueError, match="'' is not 64 hexadecimal digits"):
        fetch.fetch(f"{server.url}/good", "", tmp_path / "other")
    assert os.listdir(tmp_path) == ["file"]
