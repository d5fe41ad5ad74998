"""How a program ends: exit status, one line for a user error, a traceback for a bug."""

import logging
import os
import signal
import subprocess
import sys
import time

import jax
import pytest

from attention_lab.storage.device_errors import DeviceError
from experiments import flags, train
from tests.experiments.programs import CONFIG, FLAGS, ROOT, ends


@pytest.mark.parametrize("error, said, code", [
    (ValueError("data.path=x:\n  line 3 has no tab"), "data.path=x: line 3 has no tab", 2),
    (ValueError(), "ValueError", 2),
    (OSError(28, "No space left on device", "runs/a/result.json"),
     "runs/a/result.json: No space left on device", 2),
    (PermissionError(13, "Permission denied", "runs"), "runs: Permission denied", 2),
    (OSError("odd"), "odd", 2),
    (KeyboardInterrupt(), "interrupted", 130),
    (MemoryError("Unable to allocate 4 GiB"), "out of memory: Unable to allocate 4 GiB", 3),
    (jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory\nallocating 9 bytes."),
     "out of memory: RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.", 3),
    (jax.errors.JaxRuntimeError("INTERNAL: ptxas failed"), "JAX failed: INTERNAL: ptxas failed", 3),
])
def test_what_main_raises_for_a_user_is_one_line(capsys, monkeypatch, error, said, code):
    def main(options):
        raise error

    status, out, err = ends(capsys, main, CONFIG)
    assert (status, out, err) == (code, "", f"train: error: {said}\n")
    monkeypatch.setenv("ATTENTION_LAB_DEBUG", "1")
    with pytest.raises((type(error), DeviceError)):
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS), [CONFIG])


@pytest.mark.parametrize("returned, status", [(None, None), (0, 0), (3, 3)])
def test_the_status_is_what_main_returns(capsys, returned, status):
    assert ends(capsys, lambda options: returned, CONFIG)[0] == status


def test_what_is_said_and_warned_of_has_the_name_of_the_program(capsys):
    def main(options):
        flags.say("100 % done")
        logging.getLogger("attention_lab.training").warning("%d odd lines", 3)
        logging.getLogger("attention_lab.training").debug("no one's business")
        logging.getLogger("elsewhere").info("nor this")

    status, out, err = ends(capsys, main, CONFIG)
    assert (status, out) == (None, "")
    assert err.endswith("train: 100 % done\ntrain: warning: 3 odd lines\n") and "business" not in err
    assert "nor this" not in err


def program(tmp_path, body, before=""):
    path = tmp_path / "program.py"
    path.write_text(before + "from experiments import flags\ndef main(options):\n    " + body + "\n"
                    "flags.run(main, flags.Program('train', 'Trains.', {}))\n")
    return [sys.executable, str(path)], os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("number, status, said", [
    (signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted"),
    (signal.SIGHUP, 129, "terminated: its terminal was closed")])
def test_a_signal_ends_a_program_in_one_line_after_it_has_cleaned_up(tmp_path, number, status, said):
    command, environment = program(tmp_path, """
    import time
    try:
        print('ready', flush=True)
        time.sleep(60)
    finally:
        print('cleaned up', flush=True)""", """
import signal
# A shell's background job ignores the one, and what nohup starts the other.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
""")
    child = subprocess.Popen([*command, CONFIG], env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    out, err = child.communicate()
    assert (child.returncode, out, err) == (status, "cleaned up\n", f"train: error: {said}\n")


def test_a_program_goes_on_after_a_signal_that_nohup_ignores(tmp_path):
    command, environment = program(tmp_path, "import os; os.kill(os.getpid(), 1); print('on')")
    done = subprocess.run(["nohup", *command, CONFIG], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "on\n")


def test_a_mistake_is_answered_at_once(tmp_path):
    command, environment = program(tmp_path, "pass")
    began = time.monotonic()
    done = subprocess.run([*command, CONFIG, "--config.model.num_heads=3"], env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("train: error: model.num_heads=3 does not")
    assert time.monotonic() - began < 3.0  # 0.3 s on a quiet machine; starting jax takes 2 s


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    command, environment = program(tmp_path, "print('x\\n' * 10 ** 6)")
    child = subprocess.Popen([*command, CONFIG], env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "x\n"
    child.stdout.close()
    assert child.stderr.read() == "" and child.wait() == 1
    child.stderr.close()


@pytest.mark.parametrize("module", ["train", "translate"])
@pytest.mark.parametrize("environ, status, line", [
    ({"JAX_PLATFORMS": "cuda"}, 3, "error: JAX_PLATFORMS=cuda: "),
    ({"JAX_PLATFORMS": "nothing"}, 3, "error: JAX_PLATFORMS=nothing: Unable to initialize backend 'nothing'"),
    ({"JAX_ENABLE_X64": "1"}, 2, "error: JAX_ENABLE_X64 is set: ")])
def test_an_environment_that_will_not_do_is_one_line(tmp_path, finished, module, environ, status, line):
    words = {"train": [CONFIG, f"--workdir={tmp_path / 'new'}"], "translate": [f"--run={finished}"]}[module]
    done = subprocess.run([sys.executable, "-m", f"experiments.{module}", *words], cwd=ROOT, text=True,
                          capture_output=True, input="the dog sees a cat .\n", env=os.environ | environ)
    *before, last = done.stderr.splitlines()
    assert done.returncode == status and last.startswith(f"{module}: {line}"), done.stderr
    assert all(other.startswith(f"{module}: jaxlib ") for other in before) and done.stdout == ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder of two steps."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    with pytest.raises(SystemExit) as left:
        flags.run(train.main, train.PROGRAM, [CONFIG, f"--workdir={folder}", "--config.training.steps=2"])
    assert left.value.code == 0
    return folder


@pytest.mark.parametrize("error", [KeyError, RuntimeError, AssertionError])
def test_errors_of_our_own_keep_their_traceback(error):
    def main(options):
        raise error("a bug")
    with pytest.raises(error, match="a bug"):
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS), [CONFIG])
