"""The word by which a translator tells the sense of an ambiguous noun: each word is left out in turn.

A noun that is translated by y, where its other senses are y', has the log-odds

    o(x) = log p(y | x, words before it) - log sum_y' p(y' | x, words before it)

and the word by which its sense is told is the w that o(x) - o(x without w) is largest for.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab.config import Hyper
from attention_lab.data import batching
from attention_lab.data.grammar.options import tables
from attention_lab.models import Model
from attention_lab.models.products import product
from attention_lab.tasks.translation.translator import Translator

ROOM = 512  # padded tokens a batch


class Told(NamedTuple):
    """An ambiguous noun in a sentence that was translated.

    Fields:
      word: the noun. senses: its French nouns, in its number; `sense` the one that was written, "" for none.
      by: the word that tells it, "" where no sense was written or no word's absence lowers the odds.
      drops: {index of each other source word: log-odds lost without it, nats}.
    """

    word: str
    senses: tuple[str, ...]
    sense: str
    by: str
    drops: dict[int, float]


@cache
def senses_of(lexicon_size: int) -> dict[str, tuple[str, ...]]:
    """{English form of an ambiguous noun: the French nouns of its senses in that number}.

    >>> senses_of(1000)["banks"]
    ('banques', 'rives')
    """
    return {word[0].noun.english[number]: tuple(meaning.noun.french[number] for meaning in word)
            for word in tables(lexicon_size).lexicon.ambiguous for number in (0, 1) if len(word) > 1}


def why_unknown(translator: Translator) -> str:
    """Why a run's ambiguous nouns are not known; "" where they are."""
    data = translator.config.data
    if data.source == "grammar" and translator.tokenizer.segmentation.whole_words:
        return ""
    return (f"data.source={data.source}, data.tokenizer={data.tokenizer}: senses are known of "
            "data.source=grammar with data.tokenizer=word alone")


def told_by(translator: Translator, params: Any, sources: Sequence[str], translations: Sequence[str]
            ) -> list[list[Told]]:
    """The ambiguous nouns of each sentence, with the words that tell their senses.

    Args:
      sources: as in training. translations: their translations, as the tokenizer spells them.
    Raises:
      ValueError: a run on other text than the grammar's, or whose tokens are no words.
    """
    if reason := why_unknown(translator):
        raise ValueError(reason)
    senses = senses_of(translator.config.data.lexicon_size)
    return [[_told(translator, params, source.split(), i, translation.split(), senses[word])
             for i, word in enumerate(source.split()) if word in senses]
            for source, translation in zip(sources, translations)]


def _told(translator, params, source, i, translation, senses):
    # The nth time that a noun comes it is the nth of its French nouns.
    places = [t for t, word in enumerate(translation) if word in senses][source[:i].count(source[i]):]
    if not places:
        return Told(source[i], senses, "", "", {})
    t = places[0]
    sense, others = translation[t], [j for j in range(len(source)) if j != i]
    without = [source] + [source[:j] + source[j + 1:] for j in others]
    encode = translator.tokenizer.encode
    (chosen,), *rivals = encode([sense, *(other for other in senses if other != sense)])
    rivals, odds = np.array([row[0] for row in rivals]), np.zeros(len(without))
    ids = encode([" ".join(words) for words in without]), encode([" ".join(translation)]) * len(without)
    for batch in batching.in_order(*ids, translator.buckets, ROOM):
        values = log_odds(translator.model, params, batch, translator.hyper, t, chosen, rivals)
        real = batch["example"] >= 0
        odds[batch["example"][real]] = np.asarray(values)[real]
    drops = {j: float(odds[0] - odd) for j, odd in zip(others, odds[1:])}
    by = source[max(drops, key=drops.get)] if drops and max(drops.values()) > 0 else ""
    return Told(source[i], senses, sense, by, drops)


@partial(jax.jit, static_argnames="model")
def log_odds(model: Model, params: Any, batch: dict, hyper: Hyper, t: int, chosen: int, rivals: jax.Array
             ) -> jax.Array:
    """Log-odds (B,) of the token `chosen` against all `rivals` (R,), at target position t, in nats."""
    output = model.apply(params, batch, hyper)
    logits = product(output.hidden[:, t], output.readout.T, "float32")
    return logits[:, chosen] - jax.nn.logsumexp(logits[:, rivals], axis=-1)
