"""A classifier with its tokenizer and the classes of its words: sentences in, probabilities out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab import models
from attention_lab.config import ENCODERS, LEARNED_POSITIONS, POOLED, Config, Hyper, split
from attention_lab.data import batching, tokenizers
from attention_lab.data.labelled import Labelled
from attention_lab.data.vocabulary import PAD
from attention_lab.models import Model
from attention_lab.storage.files import read_json, write_json
from attention_lab.storage.runs import Run
from attention_lab.tasks import limits
from attention_lab.tasks.text import TOKENIZER, buckets_of

SCORING_TOKENS = 8192  # padded tokens in a batch while scoring
CLASSES = "classes.json"


class Predictions(NamedTuple):
    """The predictions of a classifier, one for each sentence.

    Fields:
      probabilities: float32 (N, C), 0 beyond the classes of a word. labels: the most probable classes.
      weights: of each sentence {"encoder": (L, H, S, S), "pool": (1, 1, 1, S)}, as far as the model has them,
        S its tokens with the end mark; None unless requested.
    """

    probabilities: np.ndarray
    labels: list[str]
    weights: list[dict[str, np.ndarray]] | None


class Classifier:
    """A classifier with its tokenizer and classes: sentences in, probabilities and attention weights out.

    Fields:
      model: the Model. tokenizer: text to ids. buckets: padded lengths, rising.
      classes: {word: its classes}, in the order of their numbers.
      forms: {form: word}, by which words are recognised in new text.
    """

    def __init__(self, config: Config, tokenizer: tokenizers.Tokenizer,
                 classes: Mapping[str, Sequence[str]], forms: Mapping[str, str], buckets: Sequence[int]):
        self.config, self.tokenizer, self.buckets = config, tokenizer, tuple(buckets)
        self.classes = {word: tuple(labels) for word, labels in classes.items()}
        self.forms = dict(forms)
        self.hyper = split(config)[1]
        self.model = models.build(config, tokenizer.size, tuple(map(len, self.classes.values())))
        self._numbers = {word: i for i, word in enumerate(self.classes)}

    @property
    def attends(self) -> bool:
        """Whether the model has attention."""
        return self.config.model.kind in ENCODERS or self.config.model.pooling in POOLED

    def longest(self, targets: int = 1) -> int:
        """Most tokens, end mark included, of a sentence that is classified for each of `targets` words."""
        return limits.classified(self.config, self.buckets, targets)

    def too_long(self, sentences: Sequence[str]) -> dict[int, int]:
        """{index: tokens} of the sentences beyond `longest`, where each is classified once."""
        counts = batching.lengths(self.tokenizer.encode(sentences))
        if counts.max(initial=0) <= self.buckets[-1]:
            return {}
        longest = self.longest()
        return {i: int(n) for i, n in enumerate(counts) if n > longest}

    def encode(self, sentences: Labelled) -> tuple[list[list[int]], np.ndarray]:
        """Ids of each sentence, and `token_positions`."""
        ids = self.tokenizer.encode(sentences.text)
        return ids, self.token_positions(ids, sentences)

    def token_positions(self, ids: Sequence[Sequence[int]], sentences: Labelled) -> np.ndarray:
        """Position of the target word among the tokens of each sentence, int32 (N,); 0 if there is none."""
        if self.tokenizer.segmentation.whole_words:
            return np.maximum(sentences.position, 0).astype(np.int32)
        return np.array([self.word_starts(row)[max(position, 0)]
                         for row, position in zip(ids, sentences.position)], np.int32)

    def word_starts(self, row: Sequence[int]) -> np.ndarray:
        """Position of the first token of each word, whose state is taken for the word's, int (W,)."""
        return np.flatnonzero([*map(self.tokenizer.segmentation.begins_word, self.tokenizer.tokens(row))])

    def columns(self, sentences: Labelled) -> dict[str, np.ndarray]:
        """Columns of a batch: numbers of word and target, int32 (N,); -1 for a class unseen in training."""
        numbers = [self.classes[word].index(label) if label in self.classes[word] else -1
                   for word, label in zip(sentences.word, sentences.label)]
        return {"word": np.array([self._numbers[word] for word in sentences.word], np.int32),
                "target": np.array(numbers, np.int32)}

    def in_order(self, sentences: Labelled, extra: Mapping[str, Any] | None = None,
                 batch_tokens: int = SCORING_TOKENS) -> Iterator[dict[str, np.ndarray]]:
        """Every sentence once, in batches of few shapes; rows that fill a batch up have example -1.

        Args:
          extra: more columns, as in `with_columns`.
        Raises:
          ValueError: a sentence that is longer than a table of learned positions.
        """
        ids, positions = self.encode(sentences)
        longest = max(map(len, ids), default=0) + 1
        if self.config.model.kind in ENCODERS and self.config.model.positions == "learned" \
                and longest > LEARNED_POSITIONS:
            raise ValueError(f"a sentence of {longest} tokens is beyond the table of "
                             f"model.positions=learned, which has {LEARNED_POSITIONS}")
        columns = self.columns(sentences) | {"position": positions} | dict(extra or {})
        return (with_columns(batch, columns)
                for batch in batching.in_order(ids, ids, self.buckets, batch_tokens))

    def predict(self, params: Any, sentences: Labelled, hyper: Hyper | None = None,
                with_weights: bool = False, intervention: Any = None,
                extra: Mapping[str, Any] | None = None) -> Predictions:
        """The probabilities of the classes of each sentence.

        Args:
          hyper: None: the config's. intervention: the same for all batches; see `Model.apply`.
          extra: as in `in_order`.
        """
        probabilities = np.zeros((len(sentences), max(map(len, self.classes.values()))), np.float32)
        weights: list[Any] = [None] * len(sentences)
        for batch in self.in_order(sentences, extra):
            p, by_kind = jax.device_get(decide(
                self.model, params, batch, hyper or self.hyper, intervention, with_weights))
            for row, example in enumerate(batch["example"]):
                if example < 0:
                    continue
                probabilities[example] = p[row]
                S = int((batch["source"][row] != PAD).sum())
                weights[example] = {name: part[:, row, ..., :S] if name == "pool" else part[:, row, :, :S, :S]
                                    for name, part in by_kind.items()}
        labels = [self.classes[word][best]
                  for word, best in zip(sentences.word, probabilities.argmax(axis=1))]
        return Predictions(probabilities, labels, weights if with_weights else None)

    def save(self, folder: str | Path) -> None:
        """Writes tokenizer.json and classes.json."""
        self.tokenizer.save(Path(folder) / TOKENIZER)
        write_json(Path(folder) / CLASSES, {
            "classes": {word: list(labels) for word, labels in self.classes.items()}, "forms": self.forms})


@partial(jax.jit, static_argnames=("model", "with_weights"))
def decide(model: Model, params: Any, batch: dict, hyper: Hyper, intervention: Any = None,
           with_weights: bool = False) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Probabilities (B, C), and `Decision.weights`."""
    decision = model.apply(params, batch, hyper, with_weights=with_weights, intervention=intervention)
    return jax.nn.softmax(decision.logits, axis=-1, where=decision.allowed), decision.weights


def read(run: Run, config: Config) -> Classifier:
    """The classifier of a finished run; ValueError where a file of it can't be read."""
    return Classifier(config, tokenizers.load(run.folder / TOKENIZER), *load_names(run.folder),
                      buckets_of(run))


def with_columns(batch: dict[str, np.ndarray], columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A batch with the rows of its examples in each column; 0 in rows that only fill it up.

    columns: arrays (N, ...), or lists of rows as long as their sentences (weights), padded here with 0.
    """
    example = batch["example"]
    joined = {"source": batch["source"], "example": example}
    for name, column in columns.items():
        if isinstance(column, list):
            rows = np.zeros(batch["source"].shape, np.float32)
            for row, index in enumerate(example):
                if index >= 0:
                    rows[row, :len(column[index])] = column[index]
        else:
            rows = np.asarray(column)[np.maximum(example, 0)]
            real = np.expand_dims(example >= 0, tuple(range(1, rows.ndim)))
            rows = np.where(real, rows, 0).astype(rows.dtype)
        joined[name] = rows
    return joined


def load_names(folder: str | Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The classes and the forms that a run was trained with; ValueError where they can't be read."""
    path = Path(folder) / CLASSES
    names = read_json(path, {"classes": dict, "forms": dict})
    classes, forms = names["classes"], names["forms"]
    for word, labels in classes.items():
        if not (isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels)):
            raise ValueError(f"{path} is damaged: its classes of {word!r} are {json.dumps(labels)[:40]}, no "
                             "list of names")
    if not classes:
        raise ValueError(f"{path} is damaged: its classes are empty")
    if not all(isinstance(word, str) for word in forms.values()):
        raise ValueError(f"{path} is damaged: its forms are of no words")
    return classes, forms
