"""Reader of sentences with a class each from a CSV file with its splits, such as that of SST."""

import csv
import io
import os

from attention_lab.data import lines
from attention_lab.data.corpus import SPLITS
from attention_lab.data.labelled import Labelled, same_classes, whole_sentences

COLUMNS = ("text", "label", "exp_split")
NAMES = {"0": "negative", "1": "positive"}  # of labels, where a file has these two and no other


def read(path: str | os.PathLike, counted: str = "train") -> dict[str, Labelled]:
    """The splits of a CSV file, gz or plain, with a header that has text, label and exp_split in any order.

    Labels are what the file says; where they are 0 and 1 and no other, 0 is "negative" and 1 "positive".
    The split `counted` has the counts of the whole file, so that they are told once: those of
    `lines.read_lines`, "empty_lines" (rows without text, left out), "odd_spaces". ValueError if the file
    can't be used, lacks a column or a split, a line (named by number) is malformed, or dev or test has a
    class that train lacks.
    """
    content, counts = lines.read_lines(path)
    counts.update(empty_lines=0, odd_spaces=0)
    rows = {split: [] for split in SPLITS}
    for number, row in _records(path, content):
        text, split, label = lines.one_space(row["text"]), row["exp_split"].strip(), row["label"].strip()
        if split not in SPLITS:
            raise ValueError(f"{path}: line {number}: exp_split {split!r} is none of {', '.join(SPLITS)}")
        if not label:
            raise ValueError(f"{path}: line {number} has no label")
        if text:
            rows[split].append((text, label))
        counts["empty_lines"] += not text
        counts["odd_spaces"] += bool(text) and (text, label) != (row["text"], row["label"])
    labels = {label for split in SPLITS for _, label in rows[split]}
    names = NAMES if labels == set(NAMES) else {label: label for label in labels}
    parts = {}
    for split in SPLITS:
        if not rows[split]:
            raise ValueError(f"{path}: no sentence with exp_split {split}")
        parts[split] = whole_sentences([(text, names[label]) for text, label in rows[split]],
                                       counts if split == counted else {})
    for split in SPLITS[1:]:
        same_classes(parts["train"], parts[split], split, os.fspath(path))
    return parts


def _records(path, content):
    """(line number, {column: value}) of each row that is not blank."""
    reader = csv.reader(io.StringIO("\n".join(content), newline=""), strict=True)
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
