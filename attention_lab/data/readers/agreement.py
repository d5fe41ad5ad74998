"""Reader of the sentences of Linzen et al. (2016), each with a verb in the right and the wrong number."""

import os
from collections import Counter

from attention_lab.data import lines
from attention_lab.data.readers import indexed
from attention_lab.data.verbs import Verbs

NAME, END = "subj_agr_filtered", "<eos>"  # the files' name without their endings; the last word of a sentence


def read(directory: str | os.PathLike) -> Verbs:
    """The sentences of a folder with `subj_agr_filtered.text` and `subj_agr_filtered.gold`.

    A line of `.text` is a tokenised sentence, with `<eos>` at its end or without; the same line of `.gold` is
    "index TAB right form TAB wrong form TAB attractors", in small letters or capitals. Counts: those of
    `lines.read_lines`, "verbs_of_one_form" (right and wrong are the same; left out), "sentences".

    Raises:
      ValueError: a file can't be read, the two have unequal numbers of lines, or a line (named by number) is
        malformed or has another word than the right form at its index.
    """
    text_path, gold_path = (os.path.join(os.fspath(directory), f"{NAME}.{end}") for end in ("text", "gold"))
    text, counts = _lines(text_path)
    gold, gold_counts = _lines(gold_path)
    if len(text) != len(gold):
        raise ValueError(f"{text_path} has {len(text)} lines, {gold_path} has {len(gold)}; each sentence has "
                         "one verb")
    counts.update(gold_counts)
    rows = [_row(words, line, text_path, gold_path, number)
            for number, (words, line) in enumerate(zip(text, gold), 1)]
    kept = [row for row in rows if row[2] != row[3]]
    if not kept:
        raise ValueError(f"{gold_path}: no verb has two forms")
    counts = {**counts, "verbs_of_one_form": len(rows) - len(kept), "sentences": len(kept)}
    return Verbs(*map(list, zip(*kept)), counts=counts)


def _lines(path) -> tuple[list[str], Counter]:
    try:
        return lines.read_lines(path)
    except ValueError as error:
        raise ValueError(f"data.directory: {error}") from error


def _row(text, gold, text_path, gold_path, number):
    """(text, position, right, wrong, attractors) of a line of both files."""
    words, parts = indexed.sentence(text), gold.split("\t")
    words = words[:-1] if words[-1:] == [END] else words
    if len(parts) != 4 or not parts[3].strip().isdecimal() or not all(part.strip() for part in parts):
        raise ValueError(f"{gold_path}: line {number} is not 'index TAB right form TAB wrong form TAB "
                         "attractors'")
    position = indexed.parse_index(parts[0], words, f"{gold_path}: line {number}")
    right, wrong = (form.strip().lower() for form in parts[1:3])
    if words[position].lower() != right:
        raise ValueError(f"{gold_path}: line {number}: the verb is {right!r}, at its index line {number} of "
                         f"{text_path} has {words[position]!r}")
    return " ".join(words), position, right, wrong, int(parts[3])
