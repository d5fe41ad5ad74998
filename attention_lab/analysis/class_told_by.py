"""The word by which a classifier tells the class of a sentence: each word is left out in turn.

A sentence x of class c, the most probable one, where the others are c', has the log-odds

    o(x) = log p(c | x) - log sum_c' p(c' | x)

and the word by which its class is told is the w that o(x) - o(x without w) is largest for. `told_by` asks the
same of a translator.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from attention_lab.data.labelled import Labelled
from attention_lab.tasks.classification.classifier import Classifier

PART = 32  # sentences whose shortened forms are in memory at once


def class_told_by(classifier: Classifier, params: Any, sentences: Labelled,
                  extra: Callable[[Labelled], Mapping[str, Any] | None] = lambda sentences: None
                  ) -> list[str]:
    """The word by which the class of each sentence is told; "" where no word, or no class, is beside it.

    A word to classify is never left out itself; of words that lower the log-odds alike the first is given.

    Args:
      sentences: as the classifier reads them; their labels are not read.
      extra: gives the further columns of sentences, as in `Classifier.predict`.
    """
    told = []
    for start in range(0, len(sentences), PART):
        part = sentences.select(range(start, min(start + PART, len(sentences))))
        forms = [without_each(part.text[i], part.position[i]) for i in range(len(part))]
        owner = np.repeat(np.arange(len(part)), [len(texts) for texts, _, _ in forms])
        shortened = Labelled(*([one for form in forms for one in form[k]] for k in (0, 1)),
                             [part.word[i] for i in owner], [""] * len(owner))
        p = classifier.predict(params, shortened, extra=extra(shortened)).probabilities
        for i, (_, _, left_out) in enumerate(forms):
            odds = log_odds(p[owner == i])
            alone = not left_out or len(classifier.classes[part.word[i]]) < 2
            told.append("" if alone else left_out[int(np.argmax(odds[0] - odds[1:]))])
    return told


def without_each(text: str, position: int) -> tuple[list[str], list[int], list[str]]:
    """A sentence, then the same without each of its words but the one to classify.

    Returns:
      The texts, the position of the word to classify in each, and the word left out of each but the first.

    >>> without_each("the old bank", 2)
    (['the old bank', 'old bank', 'the bank'], [2, 1, 1], ['the', 'old'])
    """
    words = text.split()
    others = [j for j in range(len(words)) if j != position and len(words) > 1]
    return ([text] + [" ".join(words[:j] + words[j + 1:]) for j in others],
            [position] + [position - (j < position) for j in others], [words[j] for j in others])


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Log-odds (N,) of the class that is most probable in row 0 against all others, from (N, C), in nats."""
    best, least = int(probabilities[0].argmax()), np.finfo(np.float32).tiny
    rivals = np.delete(probabilities, best, axis=1).sum(axis=1)
    return np.log(np.maximum(probabilities[:, best], least)) - np.log(np.maximum(rivals, least))
