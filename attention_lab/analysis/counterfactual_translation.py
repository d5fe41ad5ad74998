"""Which words of a translation survive when attention looks elsewhere (Moradi, Kambhatla & Sarkar 2019).

A model translates greedily with its own attention. Then, one step at a time and with the same words before
it, the cross-attention of that step is replaced in all layers and heads: is the most probable token the same?

Function words are a closed list: the French determiners, numerals, prepositions, conjunctions and pronouns of
the grammar, its forms of `être`, and ne, pas and jamais. Any other word with a letter is a content word;
punctuation, unknown words and end marks are neither. A piece of a word has the class of the whole word.
"""

import functools
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.attention import counterfactual
from attention_lab.config import Hyper
from attention_lab.data import batching
from attention_lab.data.grammar import function_words
from attention_lab.data.grammar.draft import PRONOUNS
from attention_lab.data.grammar.verb_phrases import BE
from attention_lab.data.tokenizers import MARK, Segmentation
from attention_lab.data.vocabulary import BOS, PAD, SPECIALS
from attention_lab.models import Model
from attention_lab.tasks.translation.translator import Translator

KINDS = ("zero_max", "uniform", "permuted")
CLASSES = ("function", "content", "neither")
ROOM = 2048  # padded tokens a batch
AT_ONCE = 4  # steps that share a pass over the source


class Survival(NamedTuple):
    """Counts of the N sentences, int (N,).

    Fields:
      steps: {class of word: steps that write one}.
      kept: {kind of attention: {class: steps that write the same token with it}}.
      left_out: steps, in no class, whose token is not the model's choice after the translation is tokenised
        again, because it is split differently or was cut at the length limit.
    """

    steps: dict[str, np.ndarray]
    kept: dict[str, dict[str, np.ndarray]]
    left_out: np.ndarray

    def share(self, kind: str, name: str) -> float:
        """Share of a class's steps whose token a kind of attention keeps; nan without steps."""
        steps = self.steps[name].sum()
        return float(self.kept[kind][name].sum() / steps) if steps else float("nan")


def survival(translator: Translator, params: Any, sources: Sequence[str], key: jax.Array) -> Survival:
    """Translates sentences, replaces the attention of each step, and counts the words that survive.

    With "permuted" a step's weights are permuted alike in all layers and heads, depending on the key, the
    sentence's index and the step. ValueError for a model without attention.
    """
    if not translator.attends:
        raise ValueError("attention.compatibility=none: there is no attention to replace")
    tokenizer = translator.tokenizer
    texts = translator.translate(params, sources, beam=1).texts
    ids = tokenizer.encode(texts)
    names = [word_classes(tokenizer.tokens(row), tokenizer.segmentation) for row in ids]

    def zeros():
        return {name: np.zeros(len(ids), int) for name in CLASSES}

    steps, kept, left_out = zeros(), {kind: zeros() for kind in KINDS}, np.zeros(len(ids), int)
    for batch in batching.in_order(tokenizer.encode(sources), ids, translator.buckets, ROOM):
        chosen, same = jax.device_get(survive(
            translator.model, params, batch, translator.hyper, key, tokenizer.size))
        for row, example in enumerate(batch["example"]):
            if example < 0:
                continue
            T = len(names[example])
            left_out[example] = T - chosen[row, :T].sum()
            for name in CLASSES:
                counted = chosen[row, :T] & (np.array(names[example]) == name)
                steps[name][example] = counted.sum()
                for kind, stays in zip(KINDS, same[:, row, :T]):
                    kept[kind][name][example] = (counted & stays).sum()
    return Survival(steps, kept, left_out)


def word_classes(tokens: Sequence[str], segmentation: Segmentation) -> list[str]:
    """The class of each token's word, and of the end mark after them.

    >>> from attention_lab.data.tokenizers import TOKENIZERS
    >>> word_classes(["▁le", "▁ch", "ien", "▁."], TOKENIZERS["bpe"])
    ['function', 'content', 'content', 'neither', 'neither']
    """
    begins = [segmentation.begins_word(token) or i == 0 for i, token in enumerate(tokens)]
    number = np.cumsum(begins) - 1
    whole = [""] * sum(begins)
    for token, index in zip(tokens, number):
        whole[index] += token.removeprefix(MARK)
    return [_class(whole[index]) for index in number] + ["neither"]


def _class(word):
    word = word.lower().replace("&apos;", "'")
    if word in FUNCTION_WORDS:
        return "function"
    return "content" if word not in SPECIALS and any(map(str.isalpha, word)) else "neither"


@functools.partial(jax.jit, static_argnames=("model", "size"))
def survive(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, size: int
            ) -> tuple[jax.Array, jax.Array]:
    """Whether each target token is the model's choice, bool (B, T), and is kept, bool (KINDS, B, T).

    Args:
      size: of the vocabulary. key: as of `survival`.
    """
    def choices(output, hidden):
        logits = jnp.einsum("...d,nd->...n", hidden, output.readout)
        # Greedy search never writes these.
        barred = jnp.isin(jnp.arange(size), jnp.array([PAD, BOS]))
        barred = jnp.expand_dims(barred, range(logits.ndim - 1))
        return jnp.argmax(jnp.where(barred, -jnp.inf, logits), axis=-1)

    target = batch["target"]
    T, S = target.shape[1], batch["source"].shape[1]
    output = model.apply(params, batch, hyper)
    chosen = choices(output, output.hidden)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch["example"])

    def replaced_at(t):
        rows = (jnp.arange(T) == t)[None, None, None]
        noise = jax.vmap(lambda each: counterfactual.permuted(
            jax.random.fold_in(each, t), (1, 1, S)).numbers)(keys)
        replacements = {"zero_max": counterfactual.zero_max(rows), "uniform": counterfactual.uniform(rows),
                        "permuted": counterfactual.Counterfactual("permuted", noise[None], rows)}
        same = []
        for kind in KINDS:
            output = model.apply(params, batch, hyper, intervention={"cross": replacements[kind]})
            same.append(choices(output, jnp.take(output.hidden, t, axis=1)) == chosen[:, t])
        return jnp.stack(same)

    same = jax.lax.map(replaced_at, jnp.arange(T), batch_size=min(AT_ONCE, T))
    return (chosen == target) & (target != PAD), jnp.moveaxis(same, 0, 2)


def _function_words():
    determiners = (*function_words.THE, function_words.A, function_words.SOME, function_words.NOT_A,
                   *chain.from_iterable(function_words.DETERMINERS))
    forms = chain.from_iterable((*entry.french, *entry.before_vowel) for entry in determiners)
    others = (function_words.OF, *function_words.PREPOSITIONS, *function_words.CONJUNCTIONS)
    return frozenset(chain(chain.from_iterable(forms), chain.from_iterable(entry.french for entry in others),
                           chain.from_iterable(PRONOUNS), *(french for _, french in BE), OTHERS.split()))


# Relative and contracted words, negation, and elided forms that the tables derive from others.
OTHERS = "à au aux du des qui que qu' s' ne n' pas jamais"
FUNCTION_WORDS = _function_words()
