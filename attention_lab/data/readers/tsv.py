"""Reader of tab-separated files, one pair a line, and the split of a corpus in one piece."""

import os

import numpy as np

from attention_lab.data import lines, pairs
from attention_lab.data.corpus import first_indices


def read(path: str | os.PathLike) -> pairs.Pairs:
    """The pairs of a file of "source TAB target" lines, gz or plain; blank lines are left out.

    ValueError if the file can't be used, a line (named by number) has not one tab, or nothing is left.
    """
    text, counts = lines.read_lines(path)
    source, target = [], []
    for number, line in enumerate(text, 1):
        tabs = line.count("\t")
        if tabs != 1 and line.strip():
            raise ValueError(f"{path}: line {number} has {tabs or 'no'} tab{'s' * (tabs > 1)}; "
                             "each line is source, one tab, target")
        before, _, after = line.partition("\t")
        source.append(before)
        target.append(after)
    return pairs.from_lines(source, target, counts, os.fspath(path))


def hold_out(corpus: pairs.Pairs, dev_size: int, test_size: int,
             seed: int) -> tuple[pairs.Pairs, pairs.Pairs, pairs.Pairs]:
    """Splits a corpus at random into train, dev and test that share no source sentence.

    Of a held-out source sentence the first pair is kept; "repeats_of_held_out" counts the others. All parts
    keep the order of the corpus. ValueError for too few different source sentences to leave one for training.
    """
    different = np.array(list(first_indices(corpus.source).values()))
    if dev_size + test_size >= len(different):
        raise ValueError(f"data.dev_size={dev_size} and data.test_size={test_size} leave none of "
                         f"{len(different)} different source sentences to train on")
    order = np.argsort(np.random.PCG64(seed).random_raw(len(different)), kind="stable")
    chosen = different[order[:dev_size + test_size]].tolist()
    return (corpus.without(set(chosen), corpus.source), corpus.held_out(chosen[:dev_size]),
            corpus.held_out(chosen[dev_size:]))
