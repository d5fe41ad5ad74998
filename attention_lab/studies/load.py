"""Studies by their folders: each folder with a study.py is a study of that name."""

import functools
from pathlib import Path

from attention_lab.config.load import load_module
from attention_lab.config.parse import nearest
from attention_lab.studies.study import Study

FILE = "study.py"


def names(folder: Path) -> list[str]:
    """The studies below a folder, in alphabetical order."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))


def load(name: str, folder: Path) -> Study:
    """The study of this name; its file is run once.

    Raises:
      ValueError: an unknown name (the nearest is named), or a file that fails or has no STUDY.
    """
    available = names(folder)
    if name not in available:
        raise ValueError(f"study {name!r} does not exist: there are {', '.join(available)}"
                         f"{nearest(name, available)}")
    return _loaded(folder / name / FILE)._replace(name=name)


@functools.cache
def _loaded(path: Path) -> Study:
    try:
        study = getattr(load_module(str(path)), "STUDY", None)
    except ValueError as error:  # whose text begins with a flag
        raise ValueError(str(error).removeprefix("--config=")) from error
    if not isinstance(study, Study):
        raise ValueError(f"{path}: STUDY is {type(study).__name__}; a Study is needed")
    return study
