"""The page of a translator's attention: a viewer for `tasks/views.py`."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import view
from attention_lab.config import Hyper
from attention_lab.data import batching, sources
from attention_lab.data.detokenize import unescape
from attention_lab.data.grammar import Sentence
from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import MARK
from attention_lab.data.vocabulary import BOS, EOS, PAD, SPECIALS, UNKNOWN
from attention_lab.models import Model
from attention_lab.models.heads import value_norms
from attention_lab.tasks import text, views
from attention_lab.tasks.elsewhere import Request, replacements
from attention_lab.tasks.translation.translator import Translator
from attention_lab.tasks.translation.word_attention import word_numbers

TOKENS = 1024  # padded tokens of a batch
WORDS, SPAN = 9, 4  # preferred length of sentences, and how far from it richer ones may be
SIDES = {"cross": (1, 0), "encoder": (0, 0), "decoder": (1, 1)}  # whose words look, and are looked at


@partial(jax.jit, static_argnames="model")
def passed(model: Model, params: Any, batch: dict, hyper: Hyper, intervention: Any
           ) -> tuple[dict[str, jax.Array], jax.Array]:
    """`Output.weights`, and probabilities of the next token (B, T, N); PAD and BOS are never written."""
    output = model.apply(params, batch, hyper, with_weights=True, intervention=intervention)
    logits = jnp.einsum("btd,nd->btn", output.hidden, output.readout)
    barred = jnp.isin(jnp.arange(logits.shape[-1]), jnp.array([PAD, BOS]))
    return output.weights, jax.nn.softmax(jnp.where(barred[None, None], -jnp.inf, logits), axis=-1)


@partial(jax.jit, static_argnames="model")
def norms_of(model: Model, params: Any, batch: dict, hyper: Hyper) -> dict[str, jax.Array]:
    """The norm of what each key adds at a weight of 1, by kind of attention, (L, B, H, S)."""
    norms = {"cross": model.values(params, batch, hyper)}
    if model.projections is not None:
        norms |= {kind: value_norms(model.projections, kind, kind, "heads", params, batch, hyper)
                  for kind in ("encoder", "decoder")}
    return norms


class Viewer:
    """A translator on sentence pairs, as `views.Viewer`.

    Args:
      pairs: text as in training; the target is the decoder's input. note: what the targets are.
      translations: of the sources, by the model itself.
    """

    fixed = ()

    def __init__(self, translator: Translator, pairs: Pairs, translations: Sequence[str], note: str,
                 hyper: Hyper | None = None):
        self.translator, self.pairs, self.translations, self.note = translator, pairs, translations, note
        self.hyper, self.tokenizer = hyper or translator.hyper, translator.tokenizer
        self.ids = [self.tokenizer.encode(side) for side in (pairs.source, pairs.target)]
        self.lengths = list(zip(*(batching.lengths(side).tolist() for side in self.ids)))
        model = translator.config.model
        self.heads = {"cross": (1, 1)} if translator.model.projections is None else dict.fromkeys(
            SIDES, (model.num_layers, model.num_heads))

    def looks(self, params: Any) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Weights and probabilities of each pair."""
        return self._passes(params, [Request(i) for i in range(len(self.pairs))], True)

    def outputs(self, params: Any, requests: Sequence[Request]) -> list[np.ndarray]:
        """Probabilities (T, N) of each request."""
        return [output for _, output in self._passes(params, requests, False)]

    def norms(self, params: Any) -> list[dict[str, np.ndarray]]:
        """Norms of values of each pair."""
        norms: list[Any] = [None] * len(self.pairs)
        for batch in batching.in_order(*self.ids, self.translator.buckets, TOKENS):
            by_kind = jax.device_get(norms_of(self.translator.model, params, batch, self.hyper))
            for row, i in enumerate(batch["example"]):
                if i >= 0:
                    norms[i] = {kind: part[:, row, :, :self.lengths[i][SIDES[kind][1]]]
                                for kind, part in by_kind.items()}
        return norms

    def allowed(self, i: int) -> dict[str, np.ndarray]:
        """Everything but, in the decoder, what comes later."""
        return {kind: np.ones([self.lengths[i][side] for side in SIDES[kind]], bool) if kind != "decoder"
                else np.tri(self.lengths[i][1], dtype=bool) for kind in self.heads}

    def written(self, i: int) -> list[int]:
        """Ids of the target and its end mark."""
        return [*self.ids[1][i], EOS]

    def names(self, i: int, numbers: np.ndarray) -> list[str]:
        """Tokens as the page writes them."""
        return self._spelled(numbers.tolist())

    def frame(self, i: int) -> view.Sentence:
        """The pair with its words, and in the grammar's sentences its truths."""
        texts = self.pairs.source[i], self.pairs.target[i]
        words = [self._spelled([*row[i], EOS], text) for row, text in zip(self.ids, texts)]
        numbers = [word_numbers(self.tokenizer.tokens([*row[i], EOS]), self.tokenizer.segmentation)
                   for row in self.ids]
        truth = links_of(self.pairs.truth[i]) if self.pairs.truth else {}
        maps = {}
        for kind in self.heads:
            row, column = SIDES[kind]
            columns, column_words = words[column], numbers[column]
            if kind == "decoder":  # a step's keys are the inputs so far, which begin with <s>
                columns, column_words = [SPECIALS[BOS], *columns[:-1]], np.array([-1, *column_words[:-1]])
            maps[kind] = view.Map(words[row], columns, [], None, np.ones((1, 1)), truth.get(kind, {}),
                                  numbers[row], column_words)
        return view.Sentence(unescape(texts[0]), unescape(self.translations[i]), self.note, words[1], [],
                             maps)

    def _spelled(self, ids, sentence=""):
        """Tokens as words; a part that goes on a word begins with a dot, an unknown word is the text's."""
        tokens, begins = self.tokenizer.tokens(ids), self.tokenizer.segmentation.begins_word
        whole = sentence.split(" ") if self.tokenizer.segmentation.whole_words else []
        return [whole[n] if ids[n] == UNKNOWN and n < len(whole) else token if ids[n] < len(SPECIALS)
                else ("" if begins(token) else "·") + unescape(token.replace(MARK, ""))
                for n, token in enumerate(tokens)]

    def _passes(self, params, requests, with_weights):
        results: list[Any] = [None] * len(requests)
        sides = [[side[request.sentence] for request in requests] for side in self.ids]
        for batch in batching.in_order(*sides, self.translator.buckets, TOKENS):
            rows = [requests[i] if i >= 0 else None for i in batch["example"]]
            padded = batch["source"].shape[1], batch["target"].shape[1]
            sizes = {kind: (*heads, padded[SIDES[kind][0]], padded[SIDES[kind][1]])
                     for kind, heads in self.heads.items()}
            weights, output = passed(self.translator.model, params, batch, self.hyper,
                                     replacements(rows, sizes))
            weights, output = jax.device_get(weights) if with_weights else {}, np.asarray(output)
            for row, i in enumerate(batch["example"]):
                if i >= 0:
                    lengths = self.lengths[requests[i].sentence]
                    results[i] = {kind: part[:, row, :, :lengths[SIDES[kind][0]], :lengths[SIDES[kind][1]]]
                                  for kind, part in weights.items()}, output[row, :lengths[1]]
        return results


def links_of(truth: Sentence) -> dict[str, dict[str, list[tuple[int, int]]]]:
    """{kind of attention: {name: pairs (word that looks, word where the answer is)}} of a grammar's sentence.

    A verb looks for its subject, a pronoun for its antecedent, an ambiguous noun for the word that decides.
    """
    links: dict[str, dict[str, list[tuple[int, int]]]] = {
        "cross": {"alignment": [(french, english) for english, french in truth.alignment]},
        "encoder": {}, "decoder": {}}

    def add(kind, name, row, column):
        links[kind].setdefault(name, []).append((row, column))

    for sense in truth.senses:
        add("cross", "deciding word", sense.french, sense.decider)
        add("encoder", "deciding word", sense.english, sense.decider)
    for pronoun in truth.antecedents:
        add("cross", "antecedent", pronoun.french_pronoun, pronoun.english_antecedent)
        add("encoder", "antecedent", pronoun.english_pronoun, pronoun.english_antecedent)
        if pronoun.french_antecedent < pronoun.french_pronoun:
            add("decoder", "antecedent", pronoun.french_pronoun, pronoun.french_antecedent)
    for verb in truth.agreement:
        add("cross", "subject", verb.french_verb, verb.english_subject)
        add("encoder", "subject", verb.english_verb, verb.english_subject)
        if verb.french_subject < verb.french_verb:
            add("decoder", "subject", verb.french_verb, verb.french_subject)
    return links


def pairs_of_page(translator: Translator, pairs: Pairs) -> Pairs:
    """The pairs of dev that a run's page shows: those with most kinds of truth, of about nine words.

    ValueError if all are longer than a page allows.
    """
    tokens = np.maximum(*(batching.lengths(translator.tokenizer.encode(side))
                          for side in (pairs.source, pairs.target)))
    words = np.array([len(source.split()) for source in pairs.source])
    fitting = [i for i in range(len(pairs)) if tokens[i] <= views.LONGEST]
    if not fitting:
        raise ValueError(f"no pair of dev has at most {views.LONGEST} tokens, which fit on a page")
    near = [i for i in fitting if abs(words[i] - WORDS) <= SPAN] or fitting

    def rank(i):
        truth = pairs.truth[i] if pairs.truth else None
        kinds = bool(truth.senses) + bool(truth.antecedents) if truth else 0
        return -kinds, abs(words[i] - WORDS), i

    return pairs.select(sorted(sorted(near, key=rank)[:views.SENTENCES]))


def of_run(translator: Translator, params: Any, hyper: Hyper | None, pairs: Pairs, folder: str | Path,
           path: str | os.PathLike, say: Callable[[str], None] = lambda line: None, whole: bool = True
           ) -> None:
    """Writes the page of a run's dev pairs, beside references; whole: as of `views.of_run`."""
    chosen = pairs_of_page(translator, pairs)
    translations = translator.translate(params, chosen.source, hyper=hyper).texts
    viewer = Viewer(translator, chosen, translations, "the reference", hyper)
    views.of_run(viewer, len(chosen), translator.config, translator.model.init, params, folder, path, say,
                 whole)


def of_pairs(trained: Any, texts: Sequence[str], translations: Sequence[str], path: str | os.PathLike,
             say: Callable[[str], None] = lambda line: None) -> None:
    """Writes the page of sentences and their translations by a finished run (Trained), both as in training.

    ValueError for too many or too long sentences.
    """
    translator = trained.translator
    viewer = Viewer(translator, Pairs(list(texts), list(translations)), translations,
                    "the model's translation")
    views.of_run(viewer, len(texts), translator.config, translator.model.init, trained.params,
                 trained.run.folder, path, say)


def tokens_of(translator: Translator, source: str, translation: str) -> int:
    """Tokens of the longer side of a pair, both as in training, with the end mark."""
    return int(batching.lengths(translator.tokenizer.encode([source, translation])).max())


def of_trained(trained: Any, sentences: Sequence[str] | None, path: str | os.PathLike,
               say: Callable[[str], None] = lambda line: None, names: Sequence[str] = ()) -> None:
    """Writes the page of a finished run (Trained); see `Trained.view`."""
    translator = trained.translator
    if sentences is None:
        dev = sources.load(trained.run.config.data, ("dev",))["dev"]
        dev, _ = text.without_too_long(translator, dev, dev.source, "pairs")
        return of_run(translator, trained.params, None, dev, trained.run.folder, path, say)
    prepared = translator.prepare(sentences)
    views.check_lengths(batching.lengths(translator.tokenizer.encode(prepared)).tolist(), names=names)
    translations = translator.translate(trained.params, prepared).texts
    views.check_lengths([tokens_of(translator, *pair) for pair in zip(prepared, translations)], names=[
        f"the translation of {views.name_of(i, names)}" for i in range(len(prepared))])
    return of_pairs(trained, prepared, translations, path, say)
