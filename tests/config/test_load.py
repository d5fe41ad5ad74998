"""A config file that fails, in whatever way, is one line that names the file and the line of it."""

import os
import pathlib

import pytest

from attention_lab.config.load import load, load_sweep

HEAD = "from attention_lab.config import Config, replace\n"


@pytest.fixture
def written(tmp_path):
    """Writes a config file; its path."""
    def write(text, name="x.py"):
        path = tmp_path / name
        path.write_text(HEAD + text)
        return str(path)
    return write


def refused(function, spelled):
    with pytest.raises(ValueError) as error:
        function(spelled)
    said = str(error.value)
    assert said.startswith(f"--config={spelled}: ")
    return said.removeprefix(f"--config={spelled}: ")


def test_the_variant_reaches_the_file_and_home_its_texts(written, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = written("def get_config(variant):\n"
                   "    return replace(Config(), {'seed': len(variant), 'data.vectors': '~/v',\n"
                   "                              'data.path': 'a~'})\n")
    for spelled in (f"{path}:three", "~/x.py:three"):
        config = load(spelled)
        assert (config.seed, config.data.vectors, config.data.path) == (5, f"{tmp_path}/v", "a~")


@pytest.mark.parametrize("body, said, line", [
    ("def get_config(:", "SyntaxError: invalid syntax", 2),
    ("import nonesuch", "ModuleNotFoundError: No module named 'nonesuch'", 2),
    ("\n1 / 0", "ZeroDivisionError: division by zero", 3),
    ("raise SystemExit(7)", "SystemExit: 7", 2),
    ("def get_config(v):\n    return {}['x']", "KeyError: 'x'", 3),
    ("def part():\n    raise RuntimeError('odd')\ndef get_config(v):\n    return part()",
     "RuntimeError: odd", 3),
    ("def get_config(v):\n    return replace(Config(), {'model.colour': 3})",
     "AttributeError: Model has no field colour", 3),
    ("def get_config(v):\n    raise ValueError", "ValueError: ", 3),
    ("def get_config(v):\n    raise ValueError('seed=-1 is odd')", "seed=-1 is odd", 3),
    ("\n\ndef get_config(v):\n    return {}", "get_config gave dict, which is no Config", 4),
    ("def get_config(v):\n    return replace(Config(), {'seed': 1 / 0})", "ZeroDivisionError: ", 3),
    ("def get_config(v):\n    pass", "get_config gave NoneType, which is no Config", 2),
])
def test_whatever_goes_wrong_is_told_with_its_line(written, body, said, line):
    path = written(body)
    found = refused(load, path)
    assert found.startswith(said) and found.endswith(f"({path}, line {line})")


def test_an_error_below_the_file_is_told_with_the_line_that_led_to_it(written, monkeypatch, tmp_path):
    written("def halve(x):\n    return x / 0", "helper_of_a_config.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = written("import helper_of_a_config\n\ndef get_config(v):\n    return helper_of_a_config.halve(3)")
    assert refused(load, path) == f"ZeroDivisionError: division by zero ({path}, line 5)"


def test_a_group_that_is_a_dict_is_told(written):
    path = written("def get_config(v):\n    return Config(model={'width': 8})\n")
    assert refused(load, path) == ("get_config gave a Config whose model is dict, which is no Model "
                                   f"({path}, line 2)")


def test_a_file_without_the_function(written):
    path = written("get_config = 3")
    assert refused(load, path) == f"{path} has no function get_config(variant)"
    assert refused(load, written("def get_config(): pass")).startswith("TypeError: get_config() takes 0 posi")


@pytest.mark.parametrize("body, spelled", [
    ("    config.training.steps = 2", 'config = replace(config, {"training.steps": 2})'),
    ("    config.seed = (1 +\n        2)", 'config = replace(config, {"seed": 1 + 2})'),
    ("    setattr(config, 'seed', 3)", 'config = replace(config, {"training.steps": 2})'),
])
def test_a_field_that_is_assigned_is_answered_with_the_right_spelling(written, body, spelled):
    path = written(f"def get_config(v):\n    config = Config()\n{body}\n    return config\n")
    found = refused(load, path)
    assert found.startswith("cannot assign to field ") and f"write `{spelled}`" in found
    assert found.endswith(f"({path}, line 4)")


def test_a_file_may_list_the_cells_of_a_sweep(written):
    assert load_sweep(written("def get_sweep():\n    return [{'seed': 1}, {}]")) == [{"seed": 1}, {}]
    home, = load_sweep(written("def get_sweep():\n    return [{'data.path': '~/x'}]"))
    assert home == {"data.path": os.path.expanduser("~/x")}
    assert load_sweep(written("x = 1")) is None


@pytest.mark.parametrize("body, said", [
    ("    return 1 / 0", "ZeroDivisionError: division by zero (PATH, line 3)"),
    ("    return {'seed': 1}", "get_sweep gave dict; a list of {'dotted.key': value} is needed (PATH, line "),
    ("    return [3]", "get_sweep gave a list of something else; a list of"),
    ("    return [{3: 3}]", "get_sweep gave a list of something else; a list of"),
    ("    pass", "get_sweep gave NoneType; a list of"),
])
def test_cells_that_are_none(written, body, said):
    path = written(f"def get_sweep():\n{body}\n")
    assert refused(load_sweep, path).startswith(said.replace("PATH", path))


def test_a_file_that_is_edited_at_once_is_read_anew(tmp_path):
    """Bytecode that is kept is told from its source by size and second alone."""
    file = tmp_path / "x.py"
    for seed in (1, 2):
        file.write_text(f"from attention_lab.config import Config, replace\n\n\n"
                        f"def get_config(variant):\n    return replace(Config(), {{'seed': {seed}}})\n")
        os.utime(file, (1e9, 1e9))
        assert load(str(file)).seed == seed


def test_a_file_that_cannot_be_read_is_an_error_of_the_system(tmp_path, monkeypatch):
    path = tmp_path / "config.py"
    path.write_text("")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "read_bytes", refuse)
    with pytest.raises(PermissionError, match="config.py"):
        load(f"{path}:smoke")
