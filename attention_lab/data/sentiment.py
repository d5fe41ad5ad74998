"""Readers of sentences with a class each: CSV with its splits, and folders of one file per class."""

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping

from attention_lab.data import lines
from attention_lab.data.labelled import WHOLE, Labelled, same_classes, shared

COLUMNS = ("text", "label", "exp_split")
SPLITS = ("train", "dev", "test")
NAMES = {"0": "negative", "1": "positive"}  # labels of a CSV that is about sentiment
SHORT = {"neg": "negative", "pos": "positive"}  # and of files
NOTES = ("readme", "license", "licence", "copying", "changelog")


def read_csv(path: str | os.PathLike) -> dict[str, Labelled]:
    """The splits of a CSV file, gz or plain, with a header that has text, label and exp_split in any order.

    Label 0 is "negative", 1 "positive", any other stays as it is. Counts, of the whole file: what
    `lines.read_lines` counts, "empty_lines" (rows without text, left out), "odd_spaces"; for dev and test
    "also_in_train" (sentences that train has too).

    Returns:
      {"train", "dev", "test"}.

    Raises:
      ValueError: the file can't be used, lacks a column or a split, a line (named by number) is malformed,
        has no label or another split, or dev or test has a class that train lacks.
    """
    if not os.fspath(path):
        raise ValueError(f"data.path: not given; it names a CSV file with columns {', '.join(COLUMNS)}")
    found, counts = lines.read_lines(path)
    counts.update(empty_lines=0, odd_spaces=0)
    rows = {split: [] for split in SPLITS}
    for number, row in _records(path, found):
        text, split, label = lines.one_space(row["text"]), row["exp_split"].strip(), row["label"].strip()
        if split not in SPLITS:
            raise ValueError(f"{path}: line {number}: exp_split {split!r} is none of {', '.join(SPLITS)}")
        if not label:
            raise ValueError(f"{path}: line {number} has no label")
        if text:
            rows[split].append((text, NAMES.get(label, label)))
        counts["empty_lines"] += not text
        counts["odd_spaces"] += bool(text) and text != row["text"]
    parts = {}
    for split in SPLITS:
        if not rows[split]:
            raise ValueError(f"{path}: no sentence with exp_split {split}")
        parts[split] = _whole(rows[split], counts)
    for split in SPLITS[1:]:
        same_classes(parts["train"], parts[split], split, os.fspath(path))
        parts[split] = parts[split].counted(also_in_train=shared(parts["train"], parts[split]))
    return parts


def _records(path, found):
    """(line number, {column: value}) of each row; a row of nothing is one of empty values."""
    reader = csv.reader(io.StringIO("\n".join(found), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        for name in COLUMNS:
            if header.count(name) != 1:
                raise ValueError(f"{path}: line 1 has {header.count(name) or 'no'} columns named {name!r}; "
                                 f"the header needs {', '.join(COLUMNS)}")
        for row in reader:
            if row and len(row) != len(header):
                raise ValueError(f"{path}: line {reader.line_num} has {len(row)} fields, the header has "
                                 f"{len(header)}")
            if row:
                yield reader.line_num, dict(zip(header, row))
    except csv.Error as error:
        raise ValueError(f"{path}: line {reader.line_num}: {error}") from error


def read_classes(directory: str | os.PathLike) -> Labelled:
    """The sentences of a folder with one file per class, one sentence a line, gz or plain.

    The class is the file's name without its endings; where all files have the same name, it is the ending:
    rt-polarity.pos and rt-polarity.neg. "pos" is "positive", "neg" is "negative". Counts: what
    `lines.read_lines` counts, "empty_lines" (left out), "odd_spaces", "empty_classes" (without a sentence),
    "files_left_out" (a README or LICENSE, hidden files, folders).

    Raises:
      ValueError: the folder or a file can't be used, fewer than two classes that have a sentence, or two
        files of one class.
    """
    directory = os.fspath(directory)
    paths, others = _class_files(directory)
    rows, counts = [], Counter(empty_lines=0, odd_spaces=0, empty_classes=0)
    for label, path in paths.items():
        found, odd = lines.read_lines(path)
        counts.update(odd)
        even = [lines.one_space(line) for line in found]
        counts["empty_lines"] += sum(not text for text in even)
        counts["odd_spaces"] += sum(bool(text) and text != line for text, line in zip(even, found))
        counts["empty_classes"] += not any(even)
        rows += [(text, label) for text in even if text]
    if len(paths) - counts["empty_classes"] < 2:
        raise ValueError(f"data.directory: of the files of {directory}, {', '.join(paths)}, "
                         f"{counts['empty_classes']} have no sentence; two classes that have some are needed")
    counts["files_left_out"] = others
    return _whole(rows, counts)


def _class_files(directory) -> tuple[dict[str, str], int]:
    """The path of each class's file, classes sorted, and the number of other entries."""
    wanted = "it names a folder with one file for each class, one sentence a line"
    if not directory:
        raise ValueError(f"data.directory: not given; {wanted}")
    try:
        entries = sorted(os.listdir(directory))
    except OSError as error:
        raise ValueError(f"data.directory: {directory}: {error.strerror}; {wanted}") from error
    names = [name for name in entries if os.path.isfile(os.path.join(directory, name))
             and not name.startswith(".") and not name.lower().startswith(NOTES)]
    bare = [name.removesuffix(".gz") for name in names]
    stems = [name.partition(".")[0] for name in bare]
    if len(names) > 1 and len(set(stems)) == 1:
        stems = [name.partition(".")[2] or name for name in bare]
    paths = {}
    for stem, name in zip(stems, names):
        label = SHORT.get(stem, stem)
        if label in paths:
            raise ValueError(f"data.directory: {directory}: {os.path.basename(paths[label])} and {name} are "
                             f"both of class {label!r}; one file for each class is needed")
        paths[label] = os.path.join(directory, name)
    if len(paths) < 2:
        raise ValueError(f"data.directory: {directory} has {len(paths)} classes, not 2 or more; {wanted}")
    return {label: paths[label] for label in sorted(paths)}, len(entries) - len(names)


def _whole(rows: list[tuple[str, str]], counts: Mapping[str, int]) -> Labelled:
    """Whole sentences with a class each."""
    return Labelled([text for text, _ in rows], [WHOLE] * len(rows), [""] * len(rows),
                    [label for _, label in rows], None, {**counts, "sentences": len(rows)})
