"""Reader of tab-separated word senses: "index TAB sentence TAB sense", one example a line."""

import os

from attention_lab.data import lines
from attention_lab.data.labelled import Labelled, classes
from attention_lab.data.readers import indexed


def read(path: str | os.PathLike) -> Labelled:
    """The sentences of a file of "index TAB sentence TAB sense" lines, gz or plain.

    The word of a sentence is the one at its index, lower-cased. Counts: those of `lines.read_lines`,
    "empty_lines" (left out), "odd_spaces", "words_of_one_sense" (words, not sentences; kept). ValueError if
    the file can't be used, a line (named by number) is malformed, or nothing is left.
    """
    content, counts = lines.read_lines(path)
    counts.update(empty_lines=0, odd_spaces=0)
    text, positions, word, label = [], [], [], []
    for number, line in enumerate(content, 1):
        if not line.strip():
            counts["empty_lines"] += 1
            continue
        parts = line.split("\t")
        sense = lines.one_space(parts[-1])
        if len(parts) != 3 or not sense:
            raise ValueError(f"{path}: line {number} is not 'index TAB sentence TAB sense'")
        words = indexed.sentence(parts[1])
        positions.append(indexed.parse_index(parts[0], words, f"{path}: line {number}"))
        text.append(" ".join(words))
        word.append(words[positions[-1]].lower())
        label.append(sense)
        counts["odd_spaces"] += text[-1] != parts[1]
    if not text:
        raise ValueError(f"{path}: empty corpus: of {len(content)} lines none has a sentence")
    labelled = Labelled(text, positions, word, label, None, dict(counts))
    alone = sum(len(labels) == 1 for labels in classes(labelled).values())
    return labelled.counted(words_of_one_sense=alone, sentences=len(text))
