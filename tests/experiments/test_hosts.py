"""A worker under its supervisor, without JAX: however one of them ends, it is one line."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LOST = ("another process of the run has ended, or can't be reached: repeat the command in every process: it "
        "goes on from the last checkpoint")
PROGRAM = """
import os, signal, sys, time
# A shell's background job ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from experiments import flags, hosts

def work(joined):
    {body}
    return 0

def main(options):
    if not hosts.supervised():
        return hosts.supervise("python {path}")
    return hosts.work(work, lambda error: "gloo" in str(error))

flags.run(main, flags.Program("train", "Trains.", {{}}, "none", device=False), [])
"""


def start(tmp_path, body):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(body="\n    ".join(body), path=path))
    return subprocess.Popen([sys.executable, path], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=os.environ | {"PYTHONPATH": str(ROOT)})


def end(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


FATAL = "os.write(2, b'F1130 08:08:48.598723    6137 client.h:86] Terminating process because the {}\\n')"
PEER = FATAL.format("JAX distributed service detected fatal errors. Socket closed")


@pytest.mark.parametrize("body, status, out, err", [
    (["joined()", "print('steps')", "print('x', file=sys.stderr)", "os.write(1, b'[Gloo] noise')",
      "os.write(2, b'noise')"], 0, "steps\n", "x\n"),
    (["joined()", "print('steps')", "raise ValueError('no such\\nfile')"], 2, "steps\n",
     "train: error: no such file\n"),
    (["joined()", "raise OSError(28, 'No space left', 'a')"], 2, "", "train: error: a: No space left\n"),
    (["joined()", "print('steps')", "print('x', end='', file=sys.stderr)",
      "raise ValueError('gloo: closed')"], 3, "steps\n", f"xtrain: error: {LOST}\n"),
    (["joined()", PEER, "os.abort()"], 3, "", f"train: error: {LOST}\n"),
    (["joined()", FATAL.format("disk is on fire"), "os.abort()"], 3, "",
     "train: error: the process was ended (SIGABRT: Terminating process because the disk is on fire): repeat "
     "the command in every process: it goes on from the last checkpoint\n"),
    (["joined()", "os.kill(os.getpid(), 9)"], 3, "",
     "train: error: the process was ended (SIGKILL): repeat the command in every process: it goes on from "
     "the last checkpoint\n"),
    (["os.write(2, b'E1 Address already in use')", "os.kill(os.getpid(), 11)"], 2, "",
     "train: error: the port of JAX_COORDINATOR_ADDRESS is in use here: give a free one\n"),
    (["os.kill(os.getpid(), 11)"], 2, "", "train: error: the group of processes was not formed: SIGSEGV\n"),
])
def test_one_line_and_the_status(tmp_path, body, status, out, err):
    assert end(start(tmp_path, body)) == (status, out, err)


def test_a_bug_keeps_its_traceback(tmp_path):
    status, _, err = end(start(tmp_path, ["joined()", "return 1 / 0"]))
    assert status == 1 and err.startswith("Traceback") and err.count("ZeroDivisionError") == 1


@pytest.mark.parametrize("joined", [[], ["joined()"]])
@pytest.mark.parametrize("number, status, line", [
    (signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")])
def test_a_signal_that_a_worker_does_not_report_stops_it_too(tmp_path, number, status, line, joined):
    process = start(tmp_path, [  # as before Python hears signals
        *joined, "import signal", f"signal.signal({number:d}, signal.SIG_DFL)", "print('up', flush=True)",
        "time.sleep(60)"])
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert end(process) == (status, "", f"train: error: {line}\n")


@pytest.mark.parametrize("number, status", [
    (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_worker_ends_with_the_command(tmp_path, number, status):
    process = start(tmp_path, ["joined()", "print(os.getpid(), flush=True)", "time.sleep(60)"])
    worker = int(process.stdout.readline())
    process.send_signal(number)
    code, _, err = end(process)
    assert code == status and len(err.splitlines()) == (number != signal.SIGKILL)
    for _ in range(100):
        if not pathlib.Path(f"/proc/{worker}").exists():
            break
        time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
