"""Programs called as a shell would call them, in this process: exit status, stdout, stderr."""

import io
import pathlib
import types

import pytest

from experiments import flags

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def call(capsys, monkeypatch):
    """call(program, *argv, stdin=b"") -> (status, stdout, stderr); :variant after --config= is short."""

    def called(program, *argv, stdin=b""):
        stream = io.BytesIO(stdin)
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stream, isatty=lambda: False))
        argv = [word.replace("--config=:", f"--config={ROOT}/configs/translation.py:") for word in argv]
        with pytest.raises(SystemExit) as ended:
            flags.run(program.main, program.PROGRAM, argv)
        return ended.value.code, *capsys.readouterr()

    return called


@pytest.fixture
def tsv(tmp_path):
    """A file of forty pairs, and a function that writes another."""

    def write(content):
        path = tmp_path / "pairs.tsv"
        path.write_bytes(content)
        return path

    write(b"".join(f"the dog {i} sees\tle chien {i} voit\n".encode() for i in range(40)))
    return write
