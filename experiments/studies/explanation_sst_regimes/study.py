"""Does the agreement of attention with other explanations depend on how a classifier was trained? (SST)

The corpus, the classifier and the measures of Jain & Wallace 2019, on all test sentences, with classes by
prediction as theirs, but embeddings from scratch. Two regimes of training, and the second with embeddings
that start small: input times gradient weighs a gradient by the embedding, which at the usual start is noise
as large as what is learnt.
"""

from attention_lab.studies import Claim, Study, mean
from attention_lab.studies.recipes import regimes
from attention_lab.studies.recipes.regimes import SMALL

THIRD = "trained long, with small embeddings, an LSTM's tau of"
CLAIMS = (
    Claim("published_gradient", f"{THIRD} attention and gradients is the published one, to 0.1",
          mean("tau_gradient", arm=SMALL), "equal", 0.35, margin=0.1, published=(0.34, 0.36)),
    Claim("published_between", f"{THIRD} gradients and leaving words out is the published one, to 0.1",
          mean("tau_between", arm=SMALL), "equal", 0.66, margin=0.1, published=0.66),
    regimes.REGIME,
    regimes.SCALE,
    Claim("published_removal", f"{THIRD} attention and leaving words out is the published one, to 0.1",
          mean("tau_leave_one_out", arm=SMALL), "equal", 0.295, margin=0.1,
          published=(0.27, 0.32), primary=False),
    Claim("negative", f"{THIRD} attention and gradients is the published one, to 0.1, where negative is "
          "predicted", mean("tau_gradient_negative", 0.0, arm=SMALL), "equal", 0.34, margin=0.1,
          published=0.34, primary=False),
    Claim("positive", f"{THIRD} attention and gradients is the published one, to 0.1, where positive is "
          "predicted", mean("tau_gradient_positive", 0.0, arm=SMALL), "equal", 0.36, margin=0.1,
          published=0.36, primary=False),
    Claim("accuracy", "trained long, with small embeddings, an LSTM's test accuracy is the published one, "
          "to two points", mean("test_accuracy", arm=SMALL), "equal", 0.808, margin=0.02,
          published=0.808, primary=False),
)
# Jain & Wallace 2019, from their repository: tau, means by predicted class, and accuracy.
PUBLISHED = {"tau_gradient": 0.35, "tau_leave_one_out": 0.295, "tau_between": 0.66,
             "tau_gradient_negative": 0.34, "tau_gradient_positive": 0.36,
             "tau_leave_one_out_negative": 0.27, "tau_leave_one_out_positive": 0.32, "test_accuracy": 0.808}


def draw(rows, settings):
    """Agreement in each regime beside published values, by the predicted class, and accuracy."""
    return regimes.draw(rows, "agreement of explanations by regime of training, SST", PUBLISHED)


_SST = {"sentences": 1821, "file": "configs/sentiment.py:sst", "variant": "sst", "config": regimes.CONFIG,
        "regimes": regimes.REGIMES}

STUDY = Study(
    question="Does the training decide whether attention agrees with other explanations?",
    claims=CLAIMS,
    presets={"smoke": regimes.SMOKE, "cpu": {"seeds": 10, **_SST}, "accelerator": {"seeds": 16, **_SST}},
    draw=draw, **regimes.SHARED)
