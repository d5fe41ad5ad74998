"""Programs called as a shell would call them, in this process: exit status, stdout, stderr."""

import io
import pathlib
import types

import pytest

from experiments import (
    align,
    benchmark,
    disambiguate,
    evaluate,
    fetch,
    flags,
    reproduce,
    runs,
    sweep,
    train,
    translate,
)

ROOT = pathlib.Path(__file__).parents[2]
MODES = {train: "required", sweep: "required", translate: "none", evaluate: "overrides", runs: "none",
         reproduce: "none", fetch: "none", align: "none", benchmark: "required", disambiguate: "none"}


@pytest.fixture(scope="module", autouse=True)
def _traced_once(traced_once):
    """Here programs are what is tested, not their tracing."""


@pytest.fixture
def call(capsys, monkeypatch):
    """call(program, *argv, stdin=b"") -> (status, stdout, stderr); :variant after --config= is short."""

    def called(program, *argv, stdin=b""):
        stream = io.BytesIO(stdin)
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=stream, isatty=lambda: False))
        argv = [word.replace("--config=:", f"--config={ROOT}/configs/translation.py:") for word in argv]
        name = program.__name__.rpartition(".")[2]
        with pytest.raises(SystemExit) as ended:
            flags.run(program.main, name, "", program.FLAGS, MODES[program], argv,
                      getattr(program, "WORDS", ""), getattr(program, "KEYS", None))
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
