"""Reader of CoarseWSD-20 folders: nouns of few, far senses in Wikipedia (Loureiro et al. 2021)."""

import difflib
import json
import os
from collections import Counter

from attention_lab.data import lines
from attention_lab.data.labelled import Labelled, joined, same_classes
from attention_lab.data.readers import indexed

ALL = "all"
CLASSES = "classes_map.txt"
FILES = ("train.data.txt", "train.gold.txt", "test.data.txt", "test.gold.txt", CLASSES)


def read(directory: str | os.PathLike, word: str) -> dict[str, Labelled]:
    """The sentences of one word or all of a CoarseWSD-20 folder, full or balanced.

    `WORD/train.data.txt` has lines "index TAB sentence", `train.gold.txt` the number of each one's class,
    `classes_map.txt` the names of the numbers in JSON; the same for test.

    Args:
      directory: has a sub-folder for each word.
      word: the name of a sub-folder, or "all": each that has the five files, in alphabetical order.
    Returns:
      {"train", "test"}: label is the sense's name, word the sub-folder's. Counts: those of
      `lines.read_lines`, "index_off_word" (another word is at the index), "odd_spaces", "empty_classes" (no
      sentence in this part), and for "all" "folders_left_out" (without the five files).
    Raises:
      ValueError: no such word or no words at all, a file that can't be used or is malformed, or a class in
        test that train lacks.
    """
    directory = os.fspath(directory)
    words, others = words_in(directory)
    if word == ALL:
        parts = [_read_word(directory, name) for name in words]
        return {split: joined([part[split] for part in parts]).counted(folders_left_out=others)
                for split in ("train", "test")}
    if word not in words:
        near = difflib.get_close_matches(word, words, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"data.word: {word!r} is not in {directory}, which has {', '.join(words)} ({ALL} "
                         f"for all of them){hint}")
    return _read_word(directory, word)


def words_in(directory: str | os.PathLike) -> tuple[list[str], int]:
    """The words of a CoarseWSD-20 folder, sorted, and the number of its other sub-folders.

    ValueError if the folder can't be read, or no sub-folder has the five files.
    """
    expected = f"it names a folder with a sub-folder for each word, in which are {', '.join(FILES)}"
    try:
        folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    except OSError as error:
        raise ValueError(f"data.directory: {directory}: {error.strerror}; {expected}") from error
    words = [name for name in folders
             if all(os.path.isfile(os.path.join(directory, name, file)) for file in FILES)]
    if not words:
        raise ValueError(f"data.directory: {directory} has no words; {expected}")
    return words, len(folders) - len(words)


def _read_word(directory, word):
    folder = os.path.join(directory, word)
    names = _names(os.path.join(folder, CLASSES))
    parts = {split: _read_part(folder, word, split, names) for split in ("train", "test")}
    same_classes(parts["train"], parts["test"], "test", folder)
    return parts


def _names(path) -> dict[str, str]:
    """The sense of each class number."""
    repeated = []

    def unique(pairs):
        counts = Counter(number for number, _ in pairs)
        repeated.extend(number for number, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        names = json.loads("\n".join(lines.read_lines(path)[0]), object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: no JSON: line {error.lineno}: {error.msg}") from error
    if not isinstance(names, dict) or not names or not all(
            isinstance(name, str) and name for name in names.values()):
        raise ValueError(f'{path}: {{"0": "name of a sense", ...}} is needed')
    if repeated:
        raise ValueError(f"{path}: class number {repeated[0]!r} has two names")
    if len(set(names.values())) < len(names):
        raise ValueError(f"{path}: two class numbers have the same name")
    return names


def _read_part(folder, word, split, names) -> Labelled:
    data_path, gold_path = (os.path.join(folder, f"{split}.{kind}.txt") for kind in ("data", "gold"))
    data, counts = lines.read_lines(data_path)
    gold, gold_counts = lines.read_lines(gold_path)
    if len(data) != len(gold):
        raise ValueError(f"{data_path} has {len(data)} lines, {gold_path} has {len(gold)}; each sentence has "
                         "one class")
    if not data:
        raise ValueError(f"{data_path}: no sentence in it")
    counts.update(gold_counts)
    counts.update(odd_spaces=0, index_off_word=0)
    text, positions, label = [], [], []
    for number, (line, class_) in enumerate(zip(data, gold), 1):
        index, tab, rest = line.partition("\t")
        if not tab or "\t" in rest:
            raise ValueError(f"{data_path}: line {number} is not 'index TAB sentence'")
        words = indexed.sentence(rest)
        position = indexed.parse_index(index, words, f"{data_path}: line {number}")
        if class_.strip() not in names:
            raise ValueError(f"{gold_path}: line {number}: class {class_!r} is none of {', '.join(names)} in "
                             f"{CLASSES}")
        text.append(" ".join(words))
        positions.append(position)
        label.append(names[class_.strip()])
        counts["odd_spaces"] += text[-1] != rest
        counts["index_off_word"] += not indexed.stands_at(word, words[position])
    counts["empty_classes"] = len(names) - len(set(label))
    counts["sentences"] = len(text)
    return Labelled(text, positions, [word] * len(text), label, None, dict(counts))
