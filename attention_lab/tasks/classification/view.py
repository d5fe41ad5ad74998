"""The page of a classifier's attention: a viewer for `tasks/views.py`."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import view
from attention_lab.config import ENCODERS, POOLED, Hyper
from attention_lab.config.counts import are, counted
from attention_lab.data import batching, sources
from attention_lab.data.detokenize import unescape
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.data.tokenizers import MARK
from attention_lab.data.vocabulary import EOS, SPECIALS, UNKNOWN
from attention_lab.models import Model
from attention_lab.models.classifier import POOL
from attention_lab.tasks import views
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.classification.classifier import Classifier, decide
from attention_lab.tasks.classification.new_text import find_targets
from attention_lab.tasks.elsewhere import Request, replacements

TOKENS = 1024  # padded tokens of a batch
WORDS = 14  # preferred length of the sentences of a run's page
DECIDING = "deciding word"


@partial(jax.jit, static_argnames="model")
def norms_of(model: Model, params: Any, batch: dict, hyper: Hyper) -> dict[str, jax.Array]:
    """The norm of what each word adds at a weight of 1, by kind of attention, (L, B, H, S)."""
    states = model.apply(params, batch, hyper).states
    norms = {POOL: jnp.linalg.norm(states, axis=-1)[None, :, None]}
    return norms | ({"encoder": model.values(params, batch, hyper)} if model.values else {})


class Viewer:
    """A classifier on sentences, as `views.Viewer`.

    Args:
      sentences: with "" as the label of those whose class is not known. answers: the model's.
      guided: as of `guidance.answers` on these sentences, for a model that has a guide.
    """

    def __init__(self, classifier: Classifier, sentences: Labelled, answers: Sequence[str],
                 hyper: Hyper | None = None, guided: Mapping[str, Any] | None = None):
        self.classifier, self.sentences, self.answers = classifier, sentences, answers
        self.hyper, self.guided = hyper or classifier.hyper, guided or {}
        self.ids, self.positions = classifier.encode(sentences)
        model, weights = classifier.config.model, classifier.config.attention.weights
        self.heads = {"encoder": (model.num_layers, model.num_heads)} if model.kind in ENCODERS else {}
        if model.pooling in POOLED:
            self.heads[POOL] = (1, 1)
        self.fixed = (POOL,) if POOL in self.heads and weights in ("uniform", "frozen") else ()

    def looks(self, params: Any) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Weights and probabilities of each sentence."""
        predicted = self.classifier.predict(params, self.sentences, self.hyper, with_weights=True,
                                            extra=self.guided)
        return [(weights, p[None]) for weights, p in zip(predicted.weights, predicted.probabilities)]

    def outputs(self, params: Any, requests: Sequence[Request]) -> list[np.ndarray]:
        """Probabilities (1, C) of each request."""
        which = [request.sentence for request in requests]
        results: list[Any] = [None] * len(requests)
        extra = {name: [column[i] for i in which] if isinstance(column, list) else column[which]
                 for name, column in self.guided.items()}
        for batch in self.classifier.in_order(self.sentences.select(which), extra, TOKENS):
            S = batch["source"].shape[1]
            rows = [requests[i] if i >= 0 else None for i in batch["example"]]
            sizes = {kind: (*heads, 1 if kind == POOL else S, S) for kind, heads in self.heads.items()}
            output = np.asarray(decide(self.classifier.model, params, batch, self.hyper,
                                       replacements(rows, sizes))[0])
            for row, i in enumerate(batch["example"]):
                if i >= 0:
                    results[i] = output[row][None]
        return results

    def norms(self, params: Any) -> list[dict[str, np.ndarray]]:
        """Norms of values of each sentence."""
        norms: list[Any] = [None] * len(self.sentences)
        for batch in self.classifier.in_order(self.sentences, self.guided, TOKENS):
            by_kind = jax.device_get(norms_of(self.classifier.model, params, batch, self.hyper))
            for row, i in enumerate(batch["example"]):
                if i >= 0:
                    norms[i] = {kind: part[:, row, :, :len(self.ids[i]) + 1]
                                for kind, part in by_kind.items() if kind in self.heads}
        return norms

    def allowed(self, i: int) -> dict[str, np.ndarray]:
        """Everything but, for the pooling, the end mark."""
        S = len(self.ids[i]) + 1
        return {kind: np.arange(S)[None] < S - 1 if kind == POOL else np.ones((S, S), bool)
                for kind in self.heads}

    def written(self, i: int) -> list[int]:
        """The class of the sentence where it is known and the model has it, otherwise the model's answer."""
        classes = self.classifier.classes[self.sentences.word[i]]
        label = self.sentences.label[i]
        return [classes.index(label if label in classes else self.answers[i])]

    def names(self, i: int, numbers: np.ndarray) -> list[str]:
        """Names of classes."""
        return [self.classifier.classes[self.sentences.word[i]][n] for n in numbers]

    def frame(self, i: int) -> view.Sentence:
        """The sentence with its words and, in the grammar's, the deciding word."""
        sentences, segmentation = self.sentences, self.classifier.tokenizer.segmentation
        tokens = self.classifier.tokenizer.tokens([*self.ids[i], EOS])
        whole = sentences.text[i].split(" ") if segmentation.whole_words else []
        words = [whole[n] if n < len(whole) and [*self.ids[i], EOS][n] == UNKNOWN else token
                 if token in SPECIALS else ("" if segmentation.begins_word(token) else "·")
                 + unescape(token.replace(MARK, "")) for n, token in enumerate(tokens)]
        begins = np.array([segmentation.begins_word(token) for token in tokens[:-1]])
        numbers = np.append(np.cumsum(begins) - 1, -1)
        target = [] if not sentences.truth or sentences.position[i] == WHOLE else [
            (sentences.position[i], sentences.truth[i].senses[0].decider)]
        name = sentences.word[i] or "sentence"
        maps = {kind: view.Map([name], words, [], None, np.ones((1, 1)),
                               {DECIDING: [(0, decider) for _, decider in target]} if target else {},
                               [0], numbers)
                if kind == POOL else
                view.Map(words, words, [], None, np.ones((1, 1)), {DECIDING: target} if target else {},
                         numbers, numbers) for kind in self.heads}
        label = sentences.label[i]
        note = "the class in the data" if label in self.classifier.classes[sentences.word[i]] \
            else "the model's answer"
        return view.Sentence(unescape(sentences.text[i]), f"{name}: {self.answers[i]}", note,
                             self.names(i, np.array(self.written(i))), [], maps)


def of_run(classifier: Classifier, params: Any, hyper: Hyper | None, sentences: Labelled, folder: str | Path,
           path: str | os.PathLike, guided: Mapping[str, Any] | None = None,
           say: Callable[[str], None] = lambda line: None, whole: bool = True) -> None:
    """Writes the page of some sentences; guided: as of Viewer, whole: as of `views.of_run`."""
    answers = classifier.predict(params, sentences, hyper, extra=guided).labels
    viewer = Viewer(classifier, sentences, answers, hyper, guided)
    views.of_run(viewer, len(sentences), classifier.config, classifier.model.init, params, folder, path, say,
                 whole)


def of_trained(trained: Any, written: Sequence[str] | None, path: str | os.PathLike,
               say: Callable[[str], None] = lambda line: None, names: Sequence[str] = ()) -> None:
    """Writes the page of a finished run (Trained); see `Trained.view`."""
    classifier, config = trained.classifier, trained.config
    if written is None:
        dev = sources.load(trained.run.config.data)["dev"]
        sentences = dev.select(of_page(classifier, dev))
    else:
        targets = find_targets(classifier, written)
        for line, reason in targets.refused.items():
            raise ValueError(f"{views.name_of(line, names)} {reason}")
        without = len(written) - len(set(targets.lines))
        if without:
            say(f"{without} of {counted(len(written), 'sentences')} {are(without)} without a word that the "
                "run knows, and not shown")
        sentences = targets.sentences
        views.check_lengths(batching.lengths(classifier.tokenizer.encode(sentences.text)).tolist(),
                            "words to classify" if any(classifier.classes) else "sentences",
                            [views.name_of(line, names) for line in targets.lines])
    guide = guidance.of(trained.run, config.attention.guide)
    of_run(classifier, trained.params, None, sentences, trained.run.folder, path,
           guide and guidance.answers(guide, sentences, classifier.classes), say)


def of_page(classifier: Classifier, sentences: Labelled) -> list[int]:
    """Indices of the sentences that a run's page shows: those of about fourteen words."""
    lengths = batching.lengths(classifier.tokenizer.encode(sentences.text))
    fitting = [i for i, tokens in enumerate(lengths) if tokens <= views.LONGEST]
    if not fitting:
        raise ValueError(f"no sentence of dev has at most {views.LONGEST} tokens, which fit on a page")
    near = sorted(fitting, key=lambda i: (abs(len(sentences.text[i].split()) - WORDS), i))
    return sorted(near[:views.SENTENCES])
