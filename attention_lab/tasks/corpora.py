"""The sentence pairs that a config's `data` names, split into train, dev and test."""

import hashlib

from attention_lab.config import Data
from attention_lab.data import grammar, multi30k, tsv
from attention_lab.data.pairs import Pairs


def load(data: Data, splits: tuple[str, ...] = ("train", "dev", "test")) -> dict[str, Pairs]:
    """Reads or writes the corpus; {split: Pairs}.

    Raises:
      ValueError: a file or folder can't be used; see the readers.
    """
    if data.source == "multi30k":
        return {split: multi30k.read(data.directory, split, data.text) for split in splits}
    if data.source == "tsv":
        parts = tsv.hold_out(tsv.read(data.path), data.dev_size, data.test_size, data.corpus_seed)
        return {split: part for split, part in zip(("train", "dev", "test"), parts) if split in splits}
    try:
        corpus = grammar.corpus(data.train_size, data.dev_size, data.test_size, seed=data.corpus_seed,
                                lexicon_size=data.lexicon_size, min_words=data.min_words,
                                max_words=data.max_words)
    except ValueError as error:
        key = "" if str(error).startswith("lexicon_size") else "train_size, dev_size and test_size together, "
        raise ValueError(f"data.{key}{error}") from error
    return {split: Pairs([s.source for s in sentences], [s.target for s in sentences], sentences,
                         {"pairs": len(sentences)})
            for split, sentences in corpus.items() if split in splits}


def digest(corpus: dict[str, Pairs]) -> str:
    """sha256 of the text of a corpus, by which a run knows its data again wherever it lies."""
    content = hashlib.sha256()
    for split in sorted(corpus):
        for side in (corpus[split].source, corpus[split].target):
            content.update("\n".join([split, *side, ""]).encode())
    return content.hexdigest()
