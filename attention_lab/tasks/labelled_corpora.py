"""The classified sentences that a config's `data` names, split into train, dev and test."""

import hashlib
from collections.abc import Mapping

from attention_lab.config import Data
from attention_lab.data import coarsewsd, labelled, senses, senses_tsv, sentiment
from attention_lab.data.labelled import Labelled

SPLITS = ("train", "dev", "test")


def load(data: Data, splits: tuple[str, ...] = SPLITS) -> dict[str, Labelled]:
    """Reads or writes the corpus; {split: Labelled}. Of the training part a few shots are kept if asked for.

    Raises:
      ValueError: a file or folder can't be used, or a field does not fit it; see the readers. A word is asked
        for where there are no folders of words, or no class has enough sentences to hold some out.
    """
    if data.source != "coarsewsd" and data.word != coarsewsd.ALL:
        raise ValueError(f"data.word={data.word}: data.source={data.source} has all its words in one; "
                         f"{coarsewsd.ALL} is allowed, or data.source=coarsewsd")
    corpus = _READERS[data.source](data)
    for split, part in corpus.items():
        if not len(part):
            raise ValueError(f"{data.directory or data.path}: no sentence is left for {split}: a class gives "
                             "some to what is held out where it has 3 different ones or more")
    for split in ("dev", "test") if data.source != "senses" else ():
        labelled.same_classes(corpus["train"], corpus[split], split, data.directory or data.path)
    if data.shots:
        corpus["train"] = labelled.few(corpus["train"], data.shots, data.corpus_seed)
    return {split: corpus[split] for split in splits}


def everything(data: Data) -> Labelled | None:
    """All sentences of a source that holds out what to choose and to score on; None of one with splits."""
    return _WHOLE[data.source](data) if data.source in _WHOLE else None


def digest(corpus: Mapping[str, Labelled]) -> str:
    """sha256 of a corpus, by which a run knows its data again wherever it lies."""
    content = hashlib.sha256()
    for split in sorted(corpus):
        one = corpus[split]
        rows = ["\t".join(map(str, row)) for row in zip(one.text, one.place, one.word, one.label)]
        content.update("\n".join([split, *rows, ""]).encode())
    return content.hexdigest()


def _senses(data):
    try:
        return senses.read(data.train_size, data.dev_size, data.test_size, data.corpus_seed,
                           data.lexicon_size, data.max_words, (data.least_distance, data.most_distance),
                           data.distractors)
    except ValueError as error:
        raise ValueError(f"data.{error}") from error


def _coarsewsd(data):
    found = coarsewsd.read(data.directory, data.word)
    train, dev = labelled.hold_out(found["train"], data.dev_share, data.corpus_seed)
    return {"train": train, "dev": dev, "test": found["test"]}


def _in_parts(whole, data):
    rest, test = labelled.hold_out(whole, data.dev_share, data.corpus_seed)
    train, dev = labelled.hold_out(rest, data.dev_share, data.corpus_seed + 1)
    return {"train": train, "dev": dev, "test": test}


_WHOLE = {
    "senses_tsv": lambda data: senses_tsv.read(data.path),
    "sentiment_files": lambda data: sentiment.read_classes(data.directory),
}
_READERS = {
    "senses": _senses,
    "coarsewsd": _coarsewsd,
    "sentiment_csv": lambda data: sentiment.read_csv(data.path),
    **{source: lambda data, read=read: _in_parts(read(data), data) for source, read in _WHOLE.items()},
}
