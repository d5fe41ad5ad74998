"""Loads `configs/x.py:variant`: executes the file and calls its get_config(variant)."""

import ast
import dataclasses
import importlib.util
import os
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_lab.config.parse import nearest
from attention_lab.config.schema import Config, all_fields, get, replace


def load(spelled: str) -> Config:
    """The config that `file.py:variant[,variant...]` names; not yet checked. `~` is the user's home folder.

    A file that can't be run or has no get_config, or whose get_config raises anything or returns no Config,
    is a ValueError of one line that names the file, and the line where it failed.
    """
    get_config = _function(spelled, "get_config")
    if get_config is None:
        raise ValueError(f"--config={spelled}: {_path(spelled)} has no function get_config(variant)")
    config = _result(spelled, lambda: get_config(spelled.partition(":")[2]))
    if not isinstance(config, Config):
        raise _wrong_result(spelled, get_config, f"{type(config).__name__}, which is no Config")
    for name, group in vars(Config()).items():
        given = getattr(config, name)
        if dataclasses.is_dataclass(group) and not isinstance(given, type(group)):
            raise _wrong_result(spelled, get_config, f"a Config whose {name} is {type(given).__name__}, "
                                f"which is no {type(group).__name__}")
    return replace(config, _expand_home({key: get(config, key) for key in all_fields()}))


def load_sweep(spelled: str) -> list[dict[str, Any]] | None:
    """The cells that get_sweep() of `file.py:variant` lists, {dotted key: value}; None without get_sweep."""
    get_sweep = _function(spelled, "get_sweep")
    if get_sweep is None:
        return None
    cells = _result(spelled, get_sweep)
    if not isinstance(cells, list) or not all(
            isinstance(cell, dict) and all(isinstance(key, str) for key in cell) for cell in cells):
        problem = "a list of something else" if isinstance(cells, list) else type(cells).__name__
        raise _wrong_result(spelled, get_sweep, f"{problem}; a list of {{'dotted.key': value}} is needed")
    return [_expand_home(cell) for cell in cells]


def load_module(spelled: str) -> types.ModuleType:
    """The file of `file.py:variant`, run; ValueError as of `load`."""
    path = _path(spelled)
    if not Path(path).is_file():
        raise ValueError(f"--config={spelled}: there is no file {path}{_suggestion(path)}")
    spec = importlib.util.spec_from_file_location("config_file", path)
    if spec is None:
        raise ValueError(f"--config={spelled}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    content = Path(path).read_bytes()
    # Not by the loader: its bytecode would stand for a file of that size that was edited in the same second.
    _result(spelled, lambda: exec(compile(content, path, "exec"), vars(module)))
    return module


def _function(spelled: str, name: str) -> Callable | None:
    """A function of the file, which is executed; None if it has no function of this name."""
    function = getattr(load_module(spelled), name, None)
    return function if callable(function) else None


def _result(spelled: str, call: Callable[[], Any]) -> Any:
    """The result of `call`; any exception becomes a ValueError that names the file and the line."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        where, line = _origin(error, _path(spelled))
        if isinstance(error, dataclasses.FrozenInstanceError):
            problem = _replacement(error, where, line)
        elif isinstance(error, ValueError) and str(error):
            problem = str(error)  # written for a user, as that of an unknown variant
        else:
            problem = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
        at = f"{where}, line {line}" if line else where
        raise ValueError(f"--config={spelled}: {problem} ({at})") from error


def _origin(error: BaseException, path: str) -> tuple[str, int]:
    """File and line where an error was raised: the last in the config file, if it is among the callers."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename != __file__ and not frame.filename.startswith("<")]
    in_config = [frame for frame in frames if os.path.abspath(frame.filename) == os.path.abspath(path)]
    frame = (in_config or frames or [None])[-1]
    return (frame.filename, frame.lineno or 0) if frame else (path, 0)


def _replacement(error: BaseException, path: str, line: int) -> str:
    """The right spelling for an assignment such as `config.training.steps = 2`."""
    config, key, value = "config", "training.steps", "2"
    for node in ast.walk(ast.parse(Path(path).read_bytes())):
        if isinstance(node, ast.Assign) and node.lineno <= line <= node.end_lineno:
            target, _, rest = ast.unparse(node.targets[0]).partition(".")
            if rest in all_fields():
                config, key, value = target, rest, ast.unparse(node.value)
    return (f"{error}, for a config is frozen: write `{config} = replace({config}, {{\"{key}\": {value}}})`, "
            "by replace of attention_lab.config")


def _wrong_result(spelled: str, function: Callable, what: str) -> ValueError:
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", 1)
    return ValueError(f"--config={spelled}: {function.__name__} gave {what} ({_path(spelled)}, line {line})")


def _expand_home(values: dict[str, Any]) -> dict[str, Any]:
    """Values by key; a leading ~ of a text is replaced by the home folder."""
    return {key: os.path.expanduser(value) if isinstance(value, str) else value
            for key, value in values.items()}


def _path(spelled: str) -> str:
    return os.path.expanduser(spelled.partition(":")[0])


def _suggestion(path: str) -> str:
    """The config file of the most similar name, in the given folder or in configs/."""
    folder = Path(path).parent if Path(path).parent.is_dir() else Path("configs")
    files = [str(file) for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"]
    return nearest(path, files)
