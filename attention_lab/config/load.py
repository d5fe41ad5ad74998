"""From `configs/x.py:variant` to a Config: the file is run, its get_config(variant) called."""

import importlib.util
import os
import types
from pathlib import Path

from attention_lab.config.parse import nearest
from attention_lab.config.schema import Config


def load(spelled: str) -> Config:
    """The config that `file.py:variant[,variant...]` names; not yet checked.

    Raises:
      ValueError: no such file, a file that can't be run or has no get_config, an unknown variant.
    """
    module = load_module(spelled)
    if not callable(getattr(module, "get_config", None)):
        raise ValueError(f"--config={spelled}: {module.__file__} has no function get_config(variant)")
    try:
        config = module.get_config(spelled.partition(":")[2])
    except (ValueError, TypeError) as error:
        raise ValueError(f"--config={spelled}: {error}") from error
    if not isinstance(config, Config):
        raise ValueError(f"--config={spelled}: get_config gave {type(config).__name__}, which is "
                         "no Config")
    return config


def load_module(spelled: str) -> types.ModuleType:
    """The Python file of `file.py:variant`, run.

    Raises:
      ValueError: no such file, or one that can't be run.
    """
    path = spelled.partition(":")[0]
    if not Path(path).is_file():
        raise ValueError(f"--config={spelled}: there is no file {path}{_beside(path)}")
    spec = importlib.util.spec_from_file_location("config_file", path)
    if spec is None:
        raise ValueError(f"--config={spelled}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        if os.environ.get("ATTENTION_LAB_DEBUG") == "1":
            raise
        raise ValueError(f"--config={spelled}: {path} can't be run: "
                         f"{type(error).__name__}: {error}") from error
    return module


def _beside(path: str) -> str:
    """The nearest config file in the folder that was meant, or among configs/."""
    folder = Path(path).parent if Path(path).parent.is_dir() else Path("configs")
    files = [str(file) for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"]
    return nearest(path, files)
