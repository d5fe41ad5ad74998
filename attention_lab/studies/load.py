"""Studies by their folders: each that has a study.py is one, named as the folder is."""

import functools
from pathlib import Path

from attention_lab.config.load import load_module
from attention_lab.config.parse import nearest
from attention_lab.studies.study import Study

FILE = "study.py"


def names(folder: Path) -> list[str]:
    """The studies of a folder of folders, by the alphabet."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))


def load(name: str, folder: Path) -> Study:
    """The study of this name, its file run once.

    Raises:
      ValueError: there is none (the nearest is named), or the file can't be run or has no STUDY.
    """
    known = names(folder)
    if name not in known:
        raise ValueError(f"study {name!r} is not known: there are {', '.join(known)}{nearest(name, known)}")
    return _loaded(folder / name / FILE)._replace(name=name)


@functools.cache
def _loaded(path: Path) -> Study:
    try:
        study = getattr(load_module(str(path)), "STUDY", None)
    except ValueError as error:  # which speaks of a flag
        raise ValueError(str(error).removeprefix("--config=")) from error
    if not isinstance(study, Study):
        raise ValueError(f"{path}: STUDY is {type(study).__name__}; a Study is needed")
    return study
