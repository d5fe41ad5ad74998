"""Standard streams that are closed: nothing but results on stdout, no traceback, no file in their place."""

import os
import subprocess
import sys

import pytest

from tests.experiments.programs import ROOT

BODY = """
import os
from experiments import flags

def main(options):
    flags.say("a notice")
    import sys
    print("a result", *sys.stdin)
    assert os.open("file", os.O_CREAT | os.O_WRONLY) > 2
    os.write(2, b"by a library ")
    return 0

flags.run(main, flags.Program("train", "Trains.", {}, config="none", device=False))
"""


@pytest.mark.parametrize("closed, out, said", [
    ("", "a result in\n", True), ("2>&-", "a result in\n", False), (">&-", "", True),
    ("<&-", "a result\n", True), ("<&- >&- 2>&-", "", False), ("2>&- <&-", "a result\n", False)])
def test_closed_streams_lead_nowhere(tmp_path, closed, out, said):
    (tmp_path / "program.py").write_text(BODY)
    done = subprocess.run(f"printf in | {sys.executable} program.py {closed}", shell=True, cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, out)
    assert done.stderr == ("train: a notice\nby a library " if said else "")
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_an_output_that_can_not_be_written_is_one_line(tmp_path):
    (tmp_path / "program.py").write_text(BODY)
    done = subprocess.run(f"printf in | {sys.executable} program.py > /dev/full", shell=True, cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("train: error: No space left on device\n") and done.stderr.count("error") == 1


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1:strict"},
                                    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_output_is_utf8_in_every_locale(tmp_path, locale):
    (tmp_path / "program.py").write_text("""
import os
from experiments import flags

def main(options):
    print("été 狗", os.fsdecode(b"\\xff"))

flags.run(main, flags.Program("train", "Trains.", {}, config="none", device=False))
""", encoding="utf-8")
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | locale)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == "été 狗 ".encode() + b"\xff\n"


def test_an_input_that_can_not_be_read_is_named(tmp_path):
    (tmp_path / "program.py").write_text("""
from experiments import flags, stdin
flags.run(lambda options: print(*stdin.parts()), flags.Program("train", "Trains.", {}, config="none",
                                                               device=False))
""")
    done = subprocess.run(f"{sys.executable} program.py 0> written", shell=True, cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "train: error: standard input: Bad file descriptor\n"
