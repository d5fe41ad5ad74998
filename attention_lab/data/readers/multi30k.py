"""Reader of Multi30k folders, English to French (Elliott et al. 2016, 2017)."""

import os

from attention_lab.config.choices import look_up
from attention_lab.data import pairs

SPLITS = {"train": "train", "dev": "val", "test": "test_2016_flickr"}
TEXTS = {"tokenized": ".lc.norm.tok", "raw": ""}
# The folder itself, then where the upstream repository keeps its files.
FOLDERS = {"tokenized": ("", "tok", "data/task1/tok"), "raw": ("", "raw", "data/task1/raw")}


def read(directory: str | os.PathLike, split: str, text: str) -> pairs.Pairs:
    """The pairs of one split of a Multi30k folder.

    Args:
      directory: has `train`, `val` and `test_2016_flickr`, as `NAME.en.gz` (raw) or `NAME.lc.norm.tok.en.gz`
        (tokenized), gz or plain, or in sub-folders `raw` and `tok`.
      split: "train", "dev" (`val`) or "test" (`test_2016_flickr`).
      text: "tokenized" (lower-cased, apostrophes escaped as `&apos;`) or "raw".
    Raises:
      ValueError: the folder or a file is missing or unusable.
    """
    return pairs.read_parallel(*(find(directory, split, text, side) for side in ("en", "fr")))


def find(directory: str | os.PathLike, split: str, text: str, side: str) -> str:
    """The path of one file of a Multi30k folder, whose absence is a ValueError."""
    directory = os.fspath(directory)
    name = f"{look_up(SPLITS, 'data.split', split)}{look_up(TEXTS, 'data.text', text)}.{side}"
    expected = f"looked for {name}.gz and {name}, also in " + " and ".join(FOLDERS[text][1:])
    try:
        os.listdir(directory)
    except OSError as error:
        raise ValueError(f"data.directory: {directory}: {error.strerror}; {expected}") from error
    for folder in FOLDERS[text]:
        for ending in (".gz", ""):
            path = os.path.join(directory, folder, name + ending)
            if os.path.exists(path):
                return path
    raise ValueError(f"data.directory: {directory} lacks a file; {expected}")
