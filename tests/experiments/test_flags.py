"""argv into options: every spelling, one line and status 2 for a mistake, help that lists all."""

import re
import shlex

import pytest

from attention_lab.config import Config, all_fields
from attention_lab.config.load import load
from experiments import flags
from tests.experiments.programs import CONFIG, FLAGS, ROOT, ends, parse


@pytest.fixture
def flagfile(tmp_path):
    """Writes a file of flags, and gives the flag that names it."""
    def write(text, name="some.flags"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return f"--flagfile={tmp_path / name}"
    return write


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
    ("--dry_run=true", True), ("--dry_run=false", False), ("--dry_run=True", True),
    ("--dry_run=1", True), ("--dry_run=0", False), ("--dry_run=t", True), ("--dry_run=f", False),
])
def test_switches(spelled, value):
    assert parse(CONFIG, spelled).dry_run is value


@pytest.mark.parametrize("spelled, value", [
    ("--config.attention.small_query", True), ("--config.attention.small_query=1", True),
    ("--config.attention.small_query=true", True), ("--config.model.tie_embeddings=False", False),
    ("--noconfig.model.tie_embeddings", False), ("--config.model.tie_embeddings=f", False),
])
def test_switches_among_the_fields(spelled, value):
    options = parse(CONFIG, spelled)
    (key, text), = options.given
    group, name = key.split(".")
    assert getattr(getattr(options.config, group), name) is value and text == str(value).lower()


def test_a_flag_of_several_values_keeps_their_order():
    declared = {"sweep": flags.Flag((), "what is swept")}
    assert parse(config="none", declared=declared).sweep == ()
    assert parse("--sweep=b", "--sweep", "a", config="none", declared=declared).sweep == ("b", "a")


def test_a_flag_with_choices():
    declared = {"how": flags.Flag("loop", "the way", choices=("loop", "map"))}
    assert parse("--how=map", config="none", declared=declared).how == "map"
    with pytest.raises(ValueError, match="^--how=mpa is not one of loop, map; did you mean map\\?$"):
        parse("--how=mpa", config="none", declared=declared)


@pytest.mark.parametrize("words, value", [([], ""), (["--trace"], "here"), (["--trace=there"], "there")])
def test_a_flag_that_has_a_value_of_its_own(words, value):
    declared = {"trace": flags.Flag("", "where to", bare="here")}
    assert parse(*words, config="none", declared=declared).trace == value


def test_a_file_of_flags_stands_for_its_lines(flagfile):
    path = flagfile(f"# what is tried\n{CONFIG}\n\n--workdir=a b\n--config.seed=1e1\n--nodry_run\n")
    options = parse(path, "--beam=3")
    assert (options.workdir, options.beam, options.config.seed) == ("a b", 3, 10)
    lines = [CONFIG, "--workdir=a b", "--config.seed=1e1", "--nodry_run", "--beam=3"]
    assert shlex.split(options.command)[3:] == lines
    assert parse(flagfile(path, "other.flags")).workdir == "a b"


@pytest.mark.parametrize("text, said", [
    ("--beam=x\n", "--beam=x is not an integer"), ("beam=3\n", "'beam=3' is not a flag"),
    ("--workdir=a\n--workdir=b\n", "--workdir is given twice: a and b"),
    ("--bean=3\n", "did you mean --beam?"), (b"\xff\xfe\n", "can't decode byte"),
])
def test_a_mistake_in_a_file_of_flags(capsys, flagfile, text, said):
    status, out, err = ends(capsys, lambda options: 1 / 0, CONFIG, flagfile(text))
    assert (status, out) == (2, "") and err.startswith("train: error: ") and said in err
    assert err.count("\n") == 1


def test_a_file_of_flags_that_is_not_there(capsys, tmp_path):
    for given, said in ((f"--flagfile={tmp_path}/x", f"{tmp_path}/x: No such file or directory"),
                        (f"--flagfile={tmp_path}", f"{tmp_path}: Is a directory"),
                        ("--flagfile", "--flagfile with no argument")):
        assert ends(capsys, lambda options: 1 / 0, CONFIG, given) == (2, "", f"train: error: {said}\n")


def test_the_home_folder_is_put_in_for_its_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.py").write_text("from attention_lab.config import Config\n"
                                   "def get_config(v):\n    return Config()\n")
    options = parse("--config=~/x.py", "--workdir=~/run", "--config.data.source=tsv",
                    "--config.data.path=~/a~b.tsv", config="required")
    assert (options.workdir, options.file) == (f"{tmp_path}/run", f"{tmp_path}/x.py")
    assert options.config.data.path == f"{tmp_path}/a~b.tsv"


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
    ([CONFIG, "--dry_run=yes"], "--dry_run=yes is not true or false"),
    ([CONFIG, "--config.model.causal=yes"], "model.causal=yes is not true or false"),
    ([CONFIG, "--nodry_run=true"], "--nodry_run=true does not take an argument"),
    ([CONFIG, "--noconfig.seed"], "--config.seed takes a value and can't be negated"),
    ([CONFIG, "--undefok=wrokdir", "--wrokdir=x"], "--undefok is not allowed"),
    ([CONFIG, "--rate=0.1", "-5"], "'-5' is not a flag"),
    ([CONFIG, "--noworkdir=x"], "--workdir takes a value"),
    ([CONFIG, "--config.seed=1", "--config.seed=2"], "seed is given twice: 1 and 2"),
    ([CONFIG, "--config.model.num_headz=1"], "did you mean model.num_heads?"),
    ([CONFIG, "--config.=1"], "is not a field"),
    ([CONFIG + ",smok"], "variant 'smok' is not known: allowed are first, multi30k"),
    (["--config=configs/none/x.py"], "there is no file configs/none/x.py"),
    ([f"--config={ROOT}/configs/translatoin.py"], "did you mean"),
    ([f"--config={ROOT}/configs"], "there is no file"),
    ([f"--config={ROOT}/setup.cfg"], "is not a Python file"),
    (["--config="], "there is no file"),
    (["--cofnig=configs/x.py"], "did you mean --config?"),
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
        assert f"{name}: {flag.meaning}" in flat
    assert "--[no]dry_run: writes nothing (default: false)" in flat
    for key, field in all_fields().items():
        assert f"config.{key}: {field.meaning}" in flat
    assert re.search(r"--config.model.num_heads: [^:]* \(default: 4\) \(an integer of at least 1\)", flat)
    assert max(map(len, out.splitlines())) <= 100


def test_help_beside_a_config_shows_its_values(capsys):
    for argv in ((CONFIG, "--help"), ("--help", CONFIG)):
        status, out, _ = ends(capsys, lambda options: 1 / 0, *argv)
        assert not status
        assert ("--config.model.width: size of a token's vector, units (default: 16) (an integer of at least "
                f"1; 128 without {CONFIG.removeprefix('--config=')})") in " ".join(out.split())


def test_help_is_short_or_full(capsys):
    texts = {}
    for flag in ("--helpshort", "--help", "-h", "--helpfull"):
        status, texts[flag], err = ends(capsys, lambda options: 1 / 0, flag)
        assert not status and err == "" and "--workdir" in texts[flag]
    assert "--config.seed" not in texts["--helpshort"] and "--config.seed" in texts["--help"]
    assert "--flagfile" not in texts["--help"] and "--flagfile" in texts["--helpfull"]
    assert texts["-h"] == texts["--help"]


def test_help_is_shown_whatever_else_is_wrong(capsys):
    status, out, err = ends(capsys, lambda options: 1 / 0, "--beam=x", "--bogus", "--helpshort")
    assert not status and "--beam: hypotheses kept" in out and err == ""


def test_the_default_config_is_the_file_with_nothing_named():
    assert isinstance(load(str(ROOT / "configs/translation.py")), Config)
