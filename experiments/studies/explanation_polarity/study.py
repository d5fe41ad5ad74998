"""The regimes of `explanation_sst_regimes` on rt-polarity (Pang & Lee 2005), from which SST was made.

The corpus has more sentences, other labels (the review's, not of people who read the sentence) and another
split; it is no independent sample of reviews. Nothing is published on these measures.
"""

from attention_lab.studies import Study
from attention_lab.studies.recipes import regimes

CLAIMS = (regimes.REGIME, regimes.SCALE)


def draw(rows, settings):
    """Agreement in each regime, by the predicted class, and accuracy."""
    return regimes.draw(rows, "agreement of explanations by regime of training, rt-polarity")


_POLARITY = {"sentences": 2000, "file": "configs/sentiment.py:files", "variant": "files",
             "config": regimes.CONFIG, "regimes": regimes.REGIMES}

STUDY = Study(
    question="Does the training decide whether attention agrees with other explanations, on rt-polarity, "
             "too?",
    claims=CLAIMS,
    presets={"smoke": regimes.SMOKE, "cpu": {"seeds": 10, **_POLARITY},
             "accelerator": {"seeds": 16, **_POLARITY}},
    draw=draw, **regimes.SHARED)
