"""Reader of sentences with a class each from a folder of one file per class (Pang & Lee 2005)."""

import os
import re
from collections import Counter

from attention_lab.config.counts import counted
from attention_lab.data import lines
from attention_lab.data.labelled import Labelled, whole_sentences

SHORT = {"neg": "negative", "pos": "positive"}  # names of files, and their classes
# Files beside the classes, lower-cased: beginnings of names, names without endings, and endings.
NOTES = ("readme", "license", "licence", "copying", "changelog", "citation", "contributing", "nohup", ".")
LISTS = ("labels", "label_names", "classes", "class_names", "categories", "manifest", "metadata", "checksums",
         "md5sums", "sha256sums", "makefile", "requirements", "notice", "authors", "contributors", "_success",
         "icon\r")
ENDINGS = (".ini", ".db", ".lnk", ".url", ".json", ".yaml", ".yml", ".toml", ".cfg", ".xml", ".html", ".pdf",
           ".py", ".sh", ".zip", ".tar", ".md5", ".sha256", ".bak", ".orig", ".tmp", ".part", ".swp", ".rej",
           ".save", ".old", ".log", ".ipynb", ".npy", ".npz", ".png", "~", "#")
# A second or older copy: "pos.txt.1", "pos (1).txt", "pos - Copy.txt", "Copy of pos.txt".
COPY = re.compile(r".*\.[a-z]\w*\.\d+|.* \((\d+|copy)\)(\..*)?|.* - copy( \(\d+\))?(\..*)?|copy of .*")


def read(directory: str | os.PathLike) -> Labelled:
    """The sentences of a folder with one file per class, one sentence a line, gz or plain.

    The class is the file's name without its endings; where all files have the same name, it is the ending:
    rt-polarity.pos and rt-polarity.neg. "pos" is "positive", "neg" is "negative". Counts: those of
    `lines.read_lines`, "empty_lines" (left out), "odd_spaces", "empty_classes" (without a sentence); under
    "files_left_out" the names of entries that are no class: folders, hidden files, a README, labels.txt,
    desktop.ini, copies and the like, and files of another ending than most. ValueError if folder or files
    can't be used, fewer than two classes have a sentence, or two files are of one class.
    """
    directory = os.fspath(directory)
    paths, others = _class_files(directory)
    rows, counts = [], Counter(empty_lines=0, odd_spaces=0, empty_classes=0)
    for label, path in paths.items():
        content, odd = lines.read_lines(path)
        counts.update(odd)
        even = [lines.one_space(line) for line in content]
        counts["empty_lines"] += sum(not text for text in even)
        counts["odd_spaces"] += sum(bool(text) and text != line for text, line in zip(even, content))
        counts["empty_classes"] += not any(even)
        rows += [(text, label) for text in even if text]
    if len(paths) - counts["empty_classes"] < 2:
        raise ValueError(f"data.directory: of the files of {directory}, {', '.join(paths)}, "
                         f"{counts['empty_classes']} have no sentence; two classes that have some are needed")
    counts["files_left_out"] = others
    return whole_sentences(rows, counts)


def _class_files(directory) -> tuple[dict[str, str], list[str]]:
    """The path of each class's file, classes sorted, and the names of other entries."""
    expected = "it names a folder with one file for each class, one sentence a line"
    try:
        entries = sorted(os.listdir(directory))
    except OSError as error:
        raise ValueError(f"data.directory: {directory}: {error.strerror}; {expected}") from error
    names = [name for name in entries if os.path.isfile(os.path.join(directory, name)) and _of_class(name)]
    names = _of_one_kind(names)
    others = [name for name in entries if name not in names]
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
        besides = f" ({', '.join(others)} left out)" if others else ""
        raise ValueError(f"data.directory: {directory} has {counted(len(paths), 'classes')}{besides}, not 2 "
                         f"or more; {expected}")
    return {label: paths[label] for label in sorted(paths)}, others


def _of_class(name: str) -> bool:
    """Whether a file's name is that of a class, not of notes, lists or leftovers of other programs."""
    name = name.lower().removesuffix(".gz")
    return not (name.startswith(NOTES) or name.endswith(ENDINGS) or name.partition(".")[0] in LISTS
                or COPY.fullmatch(name))


def _of_one_kind(names: list[str]) -> list[str]:
    """The files that have the most frequent ending, or else beginning, and those that repeat a class of them.

    All files where none is the most frequent: "pos.txt" and "neg.csv".
    """
    parts = {name: name.removesuffix(".gz").partition(".") for name in names}
    for part in (2, 0):
        ends = Counter(of[part] for of in parts.values()).most_common(2)
        if ends and ends[0][1] > 1 and (len(ends) == 1 or ends[0][1] > ends[1][1]):
            kept = [name for name in names if parts[name][part] == ends[0][0]]
            classes = {parts[name][2 - part] for name in kept}
            return [name for name in names if name in kept or parts[name][2 - part] in classes]
    return names
