"""A finished classifier that another one goes by: frozen weights to pool by, or predictions to keep."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from attention_lab.config import Config
from attention_lab.data.labelled import Labelled
from attention_lab.evaluation.distributions import divergence, jensen_shannon, total_variation
from attention_lab.models.classifier import POOL
from attention_lab.tasks import finished
from attention_lab.tasks.classifier import Judged


def columns(config: Config, corpus: Mapping[str, Labelled]) -> dict[str, dict[str, Any]]:
    """What batches need of the guide, by split: its weights, and what it answered; {} where there is none.

    Returns:
      {split: {"guide": weights (S,) of each sentence, "answer": probabilities (N, C)}}.
    Raises:
      ValueError: attention.guide is no finished classifier that pools by attention, or of other words or
        tokens.
    """
    folder = config.attention.guide
    if not folder:
        return {}
    guide = finished.classifier(folder)
    if guide.run.config.model.pooling not in ("additive", "dot"):
        raise ValueError(f"attention.guide={folder} pools by {guide.run.config.model.pooling}: it has no "
                         "weights to go by; additive and dot have")
    if "word" not in (config.data.tokenizer, guide.classifier.tokenizer.kind):
        raise ValueError(f"attention.guide={folder}: weights of subwords fit no others; with "
                         "data.tokenizer=word they go from model to model")
    found = {}
    for split, sentences in corpus.items():
        unknown = set(sentences.word) - set(guide.classifier.classes)
        if unknown:
            raise ValueError(f"attention.guide={folder} does not know the word {sorted(unknown)[0]!r}")
        judged = guide.classifier.judge(guide.params, sentences, with_weights=True)
        found[split] = {"guide": [one[POOL][0, 0, 0] for one in judged.weights],
                        "answer": judged.probabilities}
    return found


def compared(judged: Judged, guided: Mapping[str, Any], worth: float) -> dict[str, float]:
    """How far predictions and weights are from the guide's, means over sentences.

    Returns:
      variation: total variation of the predictions. divergence: KL(own weights || guide's), nats.
      jensen_shannon: of the weights, nats, at most log 2. objective: variation - worth * divergence.
    """
    variation = float(np.mean(total_variation(judged.probabilities, guided["answer"])))
    pairs = [(own[POOL][0, 0, 0], guide) for own, guide in zip(judged.weights, guided["guide"])]
    apart = float(np.mean([divergence(own, guide) for own, guide in pairs]))
    return {"variation": variation, "divergence": apart,
            "jensen_shannon": float(np.mean([jensen_shannon(own, guide) for own, guide in pairs])),
            "objective": variation - worth * apart}
