"""Which words of a translation survive when attention looks elsewhere (Moradi, Kambhatla & Sarkar 2019).

A model translates greedily with its own attention. Then, at one step at a time and with the same words before
it, the cross-attention of that step is replaced in all layers and heads: does the likeliest token stay?

Function words are a closed list: the French determiners, numerals, prepositions, conjunctions and pronouns of
the grammar, its forms of `être`, and ne, pas and jamais. Any other word with a letter is a content word;
punctuation, unknown words and end marks are neither. A piece of a word is of its whole word's class.
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
from attention_lab.data.tokenizers import MARK
from attention_lab.data.vocabulary import BOS, PAD, SPECIALS
from attention_lab.models import Model
from attention_lab.tasks.translation.translator import Translator

KINDS = ("zero_max", "uniform", "permuted")
CLASSES = ("function", "content", "neither")
ROOM = 2048  # padded tokens a batch
AT_ONCE = 4  # steps that share a pass over the source


class Survival(NamedTuple):
    """Which steps keep their word, sentence by sentence.

    Fields:
      steps: {class of word: how many steps write one, int (N,)}.
      kept: {kind of attention: {class: how many of them it leaves as they are, int (N,)}}.
      left_out: steps whose token the model would not choose itself, for its pieces were cut in another way or
        it was cut at the limit, int (N,); in no class.
    """

    steps: dict[str, np.ndarray]
    kept: dict[str, dict[str, np.ndarray]]
    left_out: np.ndarray

    def share(self, kind: str, name: str) -> float:
        """Of the steps of a class those that a kind keeps; nan without any."""
        steps = self.steps[name].sum()
        return float(self.kept[kind][name].sum() / steps) if steps else float("nan")


def survival(translator: Translator, params: Any, sources: Sequence[str], key: jax.Array,
             hyper: Hyper | None = None, closed: frozenset[str] | None = None) -> Survival:
    """Translates, replaces the attention of each step, and counts the words that survive.

    Args:
      translator: its model attends. params: its weights.
      sources: sentences as in training.
      key: a random key for "permuted", which deals a step's weights out anew in the same way in all layers
        and heads; it goes by the sentence's number and the step.
      hyper: None as in the config.
      closed: function words in the place of FUNCTION_WORDS, lower-case.
    Raises:
      ValueError: a model without attention.
    """
    if not translator.attends:
        raise ValueError("attention.compatibility=none: there is no attention to replace")
    hyper, tokenizer = hyper or translator.hyper, translator.tokenizer
    texts = translator.translate(params, sources, beam=1, hyper=hyper).texts
    ids = tokenizer.encode(texts)
    names = [word_classes(tokenizer.tokens(row), tokenizer.kind, closed) for row in ids]
    steps, left_out = {name: np.zeros(len(ids), int) for name in CLASSES}, np.zeros(len(ids), int)
    kept = {kind: {name: np.zeros(len(ids), int) for name in CLASSES} for kind in KINDS}
    for batch in batching.in_order(tokenizer.encode(sources), ids, translator.buckets, ROOM):
        own, same = jax.device_get(survive(
            translator.model, params, batch, hyper, key, tokenizer.size))
        for row, example in enumerate(batch["example"]):
            if example < 0:
                continue
            T = len(names[example])
            left_out[example] = T - own[row, :T].sum()
            for name in CLASSES:
                counted = own[row, :T] & (np.array(names[example]) == name)
                steps[name][example] = counted.sum()
                for number, kind in enumerate(KINDS):
                    kept[kind][name][example] = (counted & same[number, row, :T]).sum()
    return Survival(steps, kept, left_out)


def word_classes(tokens: Sequence[str], kind: str, closed: frozenset[str] | None = None) -> list[str]:
    """The class of each token's word, and of the end mark after them.

    Args:
      tokens: of a sentence, without its end mark. kind: of the tokenizer. closed: as of `survival`.

    >>> word_classes(["▁le", "▁ch", "ien", "▁."], "bpe")
    ['function', 'content', 'content', 'neither', 'neither']
    """
    closed, begins = FUNCTION_WORDS if closed is None else closed, []
    for token in tokens:
        begins.append(kind == "word" or token.startswith(MARK) or not begins)
    number = np.cumsum(begins) - 1
    whole = [""] * sum(begins)
    for token, index in zip(tokens, number):
        whole[index] += token.removeprefix(MARK)
    return [_class(whole[index], closed) for index in number] + ["neither"]


def _class(word, closed):
    word = word.lower().replace("&apos;", "'")
    if word in closed:
        return "function"
    return "content" if word not in SPECIALS and any(map(str.isalpha, word)) else "neither"


@functools.partial(jax.jit, static_argnames=("model", "size"))
def survive(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, size: int
            ) -> tuple[jax.Array, jax.Array]:
    """Whether each target token is the model's own choice, bool (B, T), and by kind whether it still is.

    Args:
      size: of the vocabulary. key: as of `survival`.
    Returns:
      bool (B, T), and bool (3, B, T) in the order of KINDS.
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
    own = choices(output, output.hidden)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch["example"])

    def at(t):
        rows = (jnp.arange(T) == t)[None, None, None]
        noise = jax.vmap(lambda one: counterfactual.permuted(
            jax.random.fold_in(one, t), (1, 1, S)).numbers)(keys)
        made = {"zero_max": counterfactual.zero_max(rows), "uniform": counterfactual.uniform(rows),
                "permuted": counterfactual.Counterfactual("permuted", noise[None], rows)}
        same = []
        for kind in KINDS:
            output = model.apply(params, batch, hyper, intervention={"cross": made[kind]})
            same.append(choices(output, jnp.take(output.hidden, t, axis=1)) == own[:, t])
        return jnp.stack(same)

    same = jax.lax.map(at, jnp.arange(T), batch_size=min(AT_ONCE, T))
    return (own == target) & (target != PAD), jnp.moveaxis(same, 0, 2)


def _function_words():
    determiners = (*function_words.THE, function_words.A, function_words.SOME, function_words.NOT_A,
                   *chain.from_iterable(function_words.DETERMINERS))
    forms = chain.from_iterable((*one.french, *one.before_vowel) for one in determiners)
    others = (function_words.OF, *function_words.PREPOSITIONS, *function_words.CONJUNCTIONS)
    return frozenset(chain(chain.from_iterable(forms), chain.from_iterable(one.french for one in others),
                           chain.from_iterable(PRONOUNS), *(french for _, french in BE), OTHERS.split()))


# Relative and contracted words, negation, and elided forms that the tables make from others.
OTHERS = "à au aux du des qui que qu' s' ne n' pas jamais"
FUNCTION_WORDS = _function_words()
