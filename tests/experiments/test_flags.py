"""argv into options: both spellings, one line and status 2 for a mistake, help that lists all."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from attention_lab.config import Config, all_fields
from attention_lab.config.load import load
from experiments import flags, train

ROOT = pathlib.Path(flags.__file__).parents[1]
CONFIG = f"--config={ROOT}/configs/translation.py:smoke"
FLAGS = {
    "workdir": flags.Flag("", "folder of the run"),
    "dry_run": flags.Flag(False, "writes nothing"),
    "beam": flags.Flag(5, "hypotheses kept"),
    "rate": flags.Flag(0.5, "a rate"),
}


def parse(*argv, config="required", declared=None):
    return flags.parse(flags.Program("train", "Trains one run.", declared or FLAGS, config), argv)


def ends(capsys, main, *argv, config="required"):
    """Exit status, stdout and stderr of a program whose main is `main`."""
    with pytest.raises(SystemExit) as left:
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS, config), argv)
    return left.value.code, *capsys.readouterr()


def test_defaults_and_what_was_given():
    options = parse(CONFIG)
    assert (options.workdir, options.dry_run, options.beam, options.rate) == ("", False, 5, 0.5)
    assert options.given == [] and options.experiment == "translation"
    options = parse(CONFIG, "--workdir=a b", "--dry_run", "--beam", "3", "--rate=1e-3",
                    "--config.seed=7", "--config.model.width", "64")
    assert (options.workdir, options.dry_run, options.beam, options.rate) == ("a b", True, 3, 1e-3)
    assert (options.config.seed, options.config.model.width) == (7, 64)
    assert options.given == [("seed", "7"), ("model.width", "64")]
    assert options.command.startswith("python -m experiments.train --config=")
    assert "'--workdir=a b'" in options.command


@pytest.mark.parametrize("spelled, value", [
    ("--dry_run", True), ("--nodry_run", False),
    ("--dry_run=true", True), ("--dry_run=false", False),
])
def test_switches(spelled, value):
    assert parse(CONFIG, spelled).dry_run is value


def test_a_value_may_hold_an_equals_sign_or_be_negative():
    assert parse(CONFIG, "--workdir=a=b").workdir == "a=b"
    assert parse(CONFIG, "--rate", "-0.5").rate == -0.5


def test_the_config_and_its_file_may_be_two_words():
    path = CONFIG.removeprefix("--config=")
    assert parse("--config", path).config == parse(CONFIG).config


@pytest.mark.parametrize("argv, said", [
    ([], "--config is required"),
    ([CONFIG, "--wrokdir=x"], "--wrokdir is not a flag of train; did you mean --workdir?"),
    ([CONFIG, "--dry-run"], "did you mean --dry_run?"),
    ([CONFIG, "--model.width=3"], "did you mean --config.model.width?"),
    ([CONFIG, "--cofnig.seed=3"], "did you mean --config.seed?"),
    ([CONFIG, "-workdir=x"], "'-workdir=x' is not a flag"),
    ([CONFIG, "x"], "'x' is not a flag"), ([CONFIG, "--"], "'--' is not a flag"),
    ([CONFIG, "--workdir"], "--workdir needs a value"),
    ([CONFIG, "--workdir", "--dry_run"], "--workdir needs a value"),
    ([CONFIG, "--config.seed"], "--config.seed needs a value"),
    ([CONFIG, "--workdir=a", "--workdir=a"], "--workdir is given twice"),
    ([CONFIG, CONFIG], "--config is given twice"),
    ([CONFIG, "--beam=x"], "--beam=x is not an integer"),
    ([CONFIG, "--beam=1.5"], "--beam=1.5 is not an integer"),
    ([CONFIG, "--rate=nan"], "--rate=nan is not a number"),
    ([CONFIG, "--dry_run=1"], "--dry_run=1 is not true or false"),
    ([CONFIG, "--noworkdir=x"], "--workdir takes a value"),
    ([CONFIG, "--config.seed=1", "--config.seed=2"], "seed is given twice: 1 and 2"),
    ([CONFIG, "--config.model.num_headz=1"], "did you mean model.num_heads?"),
    ([CONFIG, "--config.=1"], "is not a field"),
    ([CONFIG + ",smok"], "variant 'smok' is not known: allowed are multi30k"),
    (["--config=configs/none/x.py"], "there is no file configs/none/x.py"),
    ([f"--config={ROOT}/configs/translatoin.py"], "did you mean"),
    ([f"--config={ROOT}/configs"], "there is no file"),
    ([f"--config={ROOT}/setup.cfg"], "is not a Python file"),
    (["--config="], "there is no file"),
])
def test_a_mistake_is_one_line_and_status_2(capsys, argv, said):
    def main(options):
        raise AssertionError("called")
    status, out, err = ends(capsys, main, *argv)
    assert status == 2 and out == ""
    assert err.startswith("train: error: ") and said in err
    assert err.count("\n") == 1 and err.endswith("\n")


@pytest.mark.parametrize("text, said", [
    ("def get_config(:", "SyntaxError"), ("import nonesuch", "ModuleNotFoundError"),
    ("1 / 0", "ZeroDivisionError"), ("x = 1", "has no function get_config"),
    ("def get_config(v): return {}", "gave dict, which is no Config"),
    ("def get_config(): return 1", "argument"),
    ("def get_config(v): raise ValueError('two\\nlines')", "two lines"),
])
def test_a_config_file_that_is_no_use_is_one_line(capsys, tmp_path, text, said):
    path = tmp_path / "x.py"
    path.write_text(text)
    status, out, err = ends(capsys, lambda options: None, f"--config={path}")
    assert status == 2 and said in err and "x.py" in err and err.count("\n") == 1


@pytest.mark.parametrize("error, said, code", [
    (ValueError("data.path=x:\n  line 3 has no tab"), "data.path=x: line 3 has no tab", 2),
    (ValueError(), "ValueError", 2),
    (OSError(28, "No space left on device", "runs/a/result.json"),
     "runs/a/result.json: No space left on device", 2),
    (PermissionError(13, "Permission denied", "runs"), "runs: Permission denied", 2),
    (OSError("odd"), "odd", 2),
    (KeyboardInterrupt(), "interrupted", 130),
])
def test_what_main_raises_for_a_user_is_one_line(capsys, monkeypatch, error, said, code):
    def main(options):
        raise error
    status, out, err = ends(capsys, main, CONFIG)
    assert (status, out, err) == (code, "", f"train: error: {said}\n")
    monkeypatch.setenv("ATTENTION_LAB_DEBUG", "1")
    with pytest.raises(type(error)):
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS), [CONFIG])


def test_our_own_mistakes_keep_their_traceback():
    def main(options):
        raise KeyError("x")
    with pytest.raises(KeyError):
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS), [CONFIG])


@pytest.mark.parametrize("returned, status", [(None, None), (0, 0), (3, 3)])
def test_the_status_is_what_main_returns(capsys, returned, status):
    assert ends(capsys, lambda options: returned, CONFIG)[0] == status


def test_a_program_that_starts_from_a_run_takes_keys_alone(capsys):
    options = parse("--config.data.split=dev", config="overrides")
    assert options.config is None and options.given == [("data.split", "dev")]
    for word, said in ((CONFIG, "the config is its run's"), ("--config.data.splt=x", "data.split"),
                       ("--config.decoding.beam=0", "decoding.beam=0")):
        status, _, err = ends(capsys, lambda options: None, word, config="overrides")
        assert status == 2 and said in err and err.count("\n") == 1


def test_a_program_without_a_config_takes_none(capsys):
    assert parse(config="none").config is None
    status, _, err = ends(capsys, lambda options: None, "--config.seed=3", config="none")
    assert status == 2 and "--config.seed is not a flag" in err


def test_a_required_flag():
    declared = {"run": flags.Flag("", "a run's folder", required=True)}
    assert parse("--run=x", config="none", declared=declared).run == "x"
    with pytest.raises(ValueError, match="--run is required: a run's folder"):
        parse(config="none", declared=declared)


def test_help_lists_every_flag_and_field_with_type_default_and_meaning(capsys):
    status, out, err = ends(capsys, lambda options: 1 / 0, "--help")
    assert not status and err == ""
    flat = " ".join(out.split())
    for name, flag in FLAGS.items():
        assert f"--{name}" in flat and flag.meaning in flat
    for key, field in all_fields().items():
        assert f"--config.{key} (" in flat and field.meaning in flat
    assert "--config.model.num_heads (an integer of at least 1; default 4)" in flat
    assert max(map(len, out.splitlines())) <= 100


def test_help_beside_a_config_shows_its_values(capsys):
    status, out, _ = ends(capsys, lambda options: 1 / 0, CONFIG, "--help")
    assert not status
    assert f"default 128; in {CONFIG.removeprefix('--config=')}: 16)" in " ".join(out.split())


def program(tmp_path, body):
    path = tmp_path / "program.py"
    path.write_text("from experiments import flags\ndef main(options):\n    " + body + "\n"
                    "flags.run(main, flags.Program('train', 'Trains.', {}))\n")
    return [sys.executable, str(path)], os.environ | {"PYTHONPATH": str(ROOT)}


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


def test_the_default_config_is_the_file_with_nothing_named():
    assert isinstance(load(str(ROOT / "configs/translation.py")), Config)


@pytest.mark.parametrize("module", ["train", "translate"])
@pytest.mark.parametrize("environ, line", [
    ({"JAX_PLATFORMS": "cuda"}, "error: JAX_PLATFORMS=cuda: "),
    ({"JAX_PLATFORMS": "nothing"}, "error: JAX_PLATFORMS=nothing: Unable to initialize backend 'nothing'"),
    ({"JAX_ENABLE_X64": "1"}, "error: JAX_ENABLE_X64 is set: ")])
def test_an_environment_that_will_not_do_is_one_line(tmp_path, finished, module, environ, line):
    words = {"train": [CONFIG, f"--workdir={tmp_path / 'new'}"], "translate": [f"--run={finished}"]}[module]
    done = subprocess.run([sys.executable, "-m", f"experiments.{module}", *words], cwd=ROOT, text=True,
                          capture_output=True, input="the dog sees a cat .\n", env=os.environ | environ)
    *before, last = done.stderr.splitlines()
    assert done.returncode == 2 and last.startswith(f"{module}: {line}"), done.stderr
    assert all(other.startswith(f"{module}: jaxlib ") for other in before) and done.stdout == ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder of two steps."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    with pytest.raises(SystemExit) as left:
        flags.run(train.main, train.PROGRAM, [CONFIG, f"--workdir={folder}", "--config.training.steps=2"])
    assert left.value.code == 0
    return folder


@pytest.mark.parametrize("error", [RuntimeError, AssertionError])
def test_errors_of_our_own_keep_their_traceback(error):
    def main(options):
        raise error("a bug")
    with pytest.raises(error, match="a bug"):
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS), [CONFIG])
