"""A small page with random numbers, sizes that are different primes, and what its tables hold."""

import numpy as np

from attention_lab import view

L, H, C = 2, 3, 5
STEPS, SELECTED = (0, 7, 11, 13, 17), 3
ENGLISH = ["the bank sees it </s>".split(), "a river that we love </s>".split()]
FRENCH = ["la banque le voit bien ici </s>".split(), "un fleuve que nous aimons beaucoup </s>".split()]
NASTY = "</script><img src=x onerror=\"document.title='broken'\"><!--<script &amp; \u2028"


def weights(rng, allowed, sharp=2.0):
    """Random weights (L, H, T, S) that are 0 where they are not allowed, as the page rounds them."""
    logits = np.where(allowed, sharp * rng.normal(size=(L, H, *allowed.shape)), -np.inf)
    exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.rint(exp / exp.sum(axis=-1, keepdims=True) * 4095) / 4095


def said(rng, words, places=None):
    """Random answers; one in three is another word than the one that the page writes."""
    shape = (len(words),) if places is None else (places, len(words))
    answers = np.empty(shape, object)
    answers[...] = np.where(rng.uniform(size=shape) < 0.3, "autre", words)
    numbers = [np.rint(rng.uniform(size=shape) * 4095) / 4095 for _ in range(3)]
    return view.Said(answers, *numbers[:2], None if places is None else numbers[2])


def table(rng, rows, columns, allowed, links, row_words, column_words, written):
    """A Map whose orders are permutations of what a row may look at."""
    places = 1 + L + L * H
    order = np.tile(np.arange(len(columns)), (len(rows), 1))
    for row, mask in zip(order, allowed):
        row[mask] = rng.permutation(np.flatnonzero(mask))
    return view.Map(rows, columns, [weights(rng, allowed, c) for c in range(1, C + 1)],
                    [rng.uniform(0.5, 3.0, (L, H, len(columns))) for _ in range(C)], allowed, links,
                    row_words, column_words, view.Elsewhere(order, {
                        change: said(rng, written, places) for change in view.CHANGES}))


def sentence(rng, english, french, text="", extra_link=None):
    """A Sentence with cross-attention, where parts of words are cut, and self-attention."""
    S, T = len(english), len(french)
    column_words, row_words = [*range(S - 1), -1], [0, 1, 2, 3, 3, 4, -1]
    links = {"alignment": [(0, 0), (1, 1), (2, 3), (3, 2)], "subject": [extra_link or (3, 1)]}
    return view.Sentence(text or " ".join(english), " ".join(french), "the reference", french,
                         [said(rng, french) for _ in range(C)], {
        "cross": table(rng, french, english, np.ones((T, S), bool), links, row_words, column_words, french),
        "encoder": table(rng, english, english, np.ones((S, S), bool), {"antecedent": [(3, 1)]}, column_words,
                         column_words, french),
        "decoder": table(rng, french, ["<s>", *french[:-1]], np.tri(T, dtype=bool), {}, row_words,
                         [-1, *row_words[:-1]], french)})


def page(text=""):
    """A page of two sentences; text: in place of the second one's."""
    rng = np.random.default_rng(5)
    return view.Page("Transformer, 2 layers of 3 heads", STEPS, SELECTED, [
        sentence(rng, ENGLISH[0], FRENCH[0]), sentence(rng, ENGLISH[1], FRENCH[1], text, (2, 0))],
        [("data", "grammar")])
