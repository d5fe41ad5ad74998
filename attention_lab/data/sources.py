"""Sources of examples: the choices of `data.source`, each with its task, its files and its reader.

The facts are literals, as config/ reads them without importing this file.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attention_lab.config import Data
from attention_lab.config.choices import look_up
from attention_lab.config.registries import Source
from attention_lab.data import endless, grammar, labelled, text, verbs
from attention_lab.data.corpus import SPLITS, Corpus, overlaps
from attention_lab.data.labelled import Labelled
from attention_lab.data.pairs import Pairs
from attention_lab.data.readers import agreement as linzen
from attention_lab.data.readers import coarsewsd, multi30k, senses_tsv, sentiment_csv, sentiment_files, tsv
from attention_lab.data.synthetic import agreement, echo, facts, kfold, marked, recall, repeated, senses
from attention_lab.storage.files import text_digest


def load(data: Data, splits: tuple[str, ...] = SPLITS) -> dict[str, Any]:
    """The examples of the source that `data` names: {split: Pairs, Labelled or Sequences}.

    ValueError if a file or folder can't be used, or a field does not fit it.
    """
    corpus = _source(data).read(data, splits)
    return overlaps(corpus) if all(isinstance(part, Corpus) for part in corpus.values()) else corpus


def load_whole(data: Data) -> Any:
    """All examples of files that are in one piece; None for files with splits and for generated examples."""
    read = _source(data).read_whole
    return read(data) if read else None


def _source(data: Data) -> Source:
    source = look_up(SOURCES, "data.source", data.source)
    if source.location and not (source.generated or getattr(data, source.location.removeprefix("data."))):
        raise ValueError(f"{source.location}: not given; data.source={data.source} needs {source.contents}")
    return source


def digest(corpus: Mapping[str, Pairs | Labelled]) -> str:
    """sha256 of the text of a corpus, by which a run recognises its data wherever that is."""
    return text_digest("\n".join([split, *column, ""]) for split in sorted(corpus)
                       for column in corpus[split].text_columns())


def _grammar(data: Data, splits: tuple[str, ...]) -> dict[str, Pairs]:
    try:
        corpus = grammar.corpus(data.train_size, data.dev_size, data.test_size, seed=data.corpus_seed,
                                lexicon_size=data.lexicon_size, min_words=data.min_words,
                                max_words=data.max_words, train={"ambiguous_share": data.ambiguous_share})
    except ValueError as error:
        key = "" if str(error).startswith("lexicon_size") else "train_size, dev_size and test_size together, "
        raise ValueError(f"data.{key}{error}") from error
    return {split: Pairs([s.source for s in sentences], [s.target for s in sentences], sentences,
                         {"pairs": len(sentences)})
            for split, sentences in corpus.items() if split in splits}


def _text(data: Data, splits: tuple[str, ...]) -> dict[str, Any]:
    if data.path:
        parts: dict[str, Any] = text.split(data.path, data.dev_size, data.test_size)
    else:
        sizes = {split: getattr(data, f"{split}_size") for split in SPLITS}
        try:
            parts = endless.endless(data.lexicon_size, data.corpus_seed, sizes)
        except ValueError as error:
            raise ValueError(f"data.{error}") from error
    return {split: parts[split] for split in splits}


def _agreement(data: Data, splits: tuple[str, ...]) -> dict[str, verbs.Verbs]:
    if data.directory:
        parts = verbs.split(linzen.read(data.directory), data.corpus_seed)
    else:
        try:
            parts = agreement.read(data.train_size, data.dev_size, data.test_size, data.corpus_seed,
                                   data.lexicon_size, data.min_words, data.max_words)
        except ValueError as error:
            raise ValueError(f"data.{error}") from error
    return {split: parts[split] for split in splits}


def _facts(data: Data, splits: tuple[str, ...]) -> dict[str, facts.Facts]:
    try:
        parts = facts.read(data.train_size, data.dev_size, data.test_size, data.corpus_seed, data.people,
                           data.lexicon_size, data.min_words, data.max_words)
    except ValueError as error:
        raise ValueError(f"data.{error}") from error
    return {split: parts[split] for split in splits}


def _tsv(data: Data, splits: tuple[str, ...]) -> dict[str, Pairs]:
    parts = tsv.hold_out(tsv.read(data.path), data.dev_size, data.test_size, data.corpus_seed)
    return {split: part for split, part in zip(SPLITS, parts) if split in splits}


def _drawn(draw: Callable[[Data, int, str], Any]) -> Callable:
    """The reader of a source whose splits are drawn separately: (data, count, split) -> Sequences."""
    return lambda data, splits: {split: draw(data, getattr(data, f"{split}_size"), split) for split in splits}


def _classified(read: Callable[[Data], dict[str, Labelled]]) -> Callable:
    """A reader of all splits with the checks of classified text, and `data.shots` of train."""
    def load(data: Data, splits: tuple[str, ...]) -> dict[str, Labelled]:
        if data.source != "coarsewsd" and data.word != coarsewsd.ALL:
            raise ValueError(f"data.word={data.word}: data.source={data.source} has all its words in one; "
                             f"{coarsewsd.ALL} is allowed, or data.source=coarsewsd")
        corpus = read(data)
        for split, part in corpus.items():
            if not len(part):
                raise ValueError(f"{data.directory or data.path}: no sentence is left for {split}: only "
                                 "classes with at least 3 different sentences are split")
        labelled.several_classes(corpus, data.directory or data.path or f"data.source={data.source}")
        for split in ("dev", "test") if SOURCES[data.source].location else ():
            labelled.same_classes(corpus["train"], corpus[split], split, data.directory or data.path)
        if data.shots:
            corpus["train"] = labelled.few_shot(corpus["train"], data.shots, data.corpus_seed)
        corpus["train"] = labelled.with_contradictions(corpus["train"])
        return {split: corpus[split] for split in splits}

    return load


def _senses(data: Data) -> dict[str, Labelled]:
    try:
        return senses.read(data.train_size, data.dev_size, data.test_size, data.corpus_seed,
                           data.lexicon_size, data.max_words, (data.least_distance, data.most_distance),
                           data.distractors)
    except ValueError as error:
        raise ValueError(f"data.{error}") from error


def _coarsewsd(data: Data) -> dict[str, Labelled]:
    parts = coarsewsd.read(data.directory, data.word)
    train, dev = labelled.hold_out(parts["train"], data.dev_share, data.corpus_seed)
    return {"train": train, "dev": dev, "test": parts["test"]}


def _held_out(read_whole: Callable[[Data], Labelled]) -> Callable:
    """The reader of a source in one piece: test is held out of it, then dev."""
    def read(data: Data) -> dict[str, Labelled]:
        rest, test = labelled.hold_out(read_whole(data), data.dev_share, data.corpus_seed)
        train, dev = labelled.hold_out(rest, data.dev_share, data.corpus_seed + 1)
        return {"train": train, "dev": dev, "test": test}

    return _classified(read)


def _whole_senses(data: Data) -> Labelled:
    return senses_tsv.read(data.path)


def _whole_sentiment(data: Data) -> Labelled:
    return sentiment_files.read(data.directory)


def _sentiment_csv(data: Data, splits: tuple[str, ...]) -> dict[str, Labelled]:
    return _classified(lambda data: sentiment_csv.read(data.path, splits[0]))(data, splits)


SOURCES = {
    "grammar": Source(task="translation", read=_grammar),
    "multi30k": Source(
        task="translation", location="data.directory", contents="the folder of its files",
        read=lambda data, splits: {split: multi30k.read(data.directory, split, data.text)
                                   for split in splits}),
    "tsv": Source(
        task="translation", location="data.path", contents="a file of 'english TAB french' lines",
        splits=("whole",), read=_tsv, read_whole=lambda data: tsv.read(data.path)),
    "text": Source(task="language", location="data.path", generated=True, contents="a text file", read=_text,
                   read_whole=lambda data: text.whole(data.path) if data.path else None),
    "agreement": Source(task="language", location="data.directory", generated=True,
                        contents="the folder of Linzen et al.'s sentences", read=_agreement),
    "facts": Source(task="language", read=_facts),
    "recall": Source(task="sequences", read=_drawn(lambda data, count, split: recall.sequences(
        count, data.pairs, data.vocabulary_size, data.corpus_seed, split, data.queries, data.keys,
        data.values))),
    "kfold": Source(task="sequences", read=_drawn(lambda data, count, split: kfold.sequences(
        count, data.pairs, data.fold, data.vocabulary_size, data.corpus_seed, split))),
    "echo": Source(task="sequences", read=_drawn(lambda data, count, split: echo.sequences(
        count, data.distance, data.answers, data.vocabulary_size, data.corpus_seed, split))),
    "marked": Source(task="sequences", read=_drawn(lambda data, count, split: marked.sequences(
        count, data.distance, data.length, data.vocabulary_size, data.corpus_seed, split))),
    "repeated": Source(task="sequences", read=_drawn(lambda data, count, split: repeated.sequences(
        count, data.length, data.vocabulary_size, data.corpus_seed, split))),
    "senses": Source(task="classification", classified="word", read=_classified(_senses)),
    "coarsewsd": Source(
        task="classification", classified="word", location="data.directory",
        contents="the folder of the words' folders", splits=("train", "test"), read=_classified(_coarsewsd)),
    "senses_tsv": Source(
        task="classification", classified="word", location="data.path",
        contents="a file of 'index TAB sentence TAB sense' lines", splits=("whole",),
        read=_held_out(_whole_senses), read_whole=_whole_senses),
    "sentiment_csv": Source(
        task="classification", classified="sentence", location="data.path",
        contents="a file of text,label,exp_split", read=_sentiment_csv),
    "sentiment_files": Source(
        task="classification", classified="sentence", location="data.directory",
        contents="the folder that has a file for each class", splits=("whole",),
        read=_held_out(_whole_sentiment), read_whole=_whole_sentiment),
}
