"""Is attention an explanation of what a classifier of film reviews says? (Jain & Wallace 2019)

Their preprocessed SST (--data), their classifier and their control, but embeddings from scratch instead of
fastText's. Arms, instruments and claims are those of `explanation`, except for the cause, which is unknown
here.
"""

from attention_lab.studies import Claim, Study, mean
from attention_lab.studies.recipes import explanations, explanations_figure
from attention_lab.studies.recipes.explanations import AVERAGE, LSTM, UNIFORM

CLAIMS = (
    explanations.CONTEXT_BLURS,
    explanations.ANOTHER_DISTRIBUTION,
    explanations.CAN_BE_TRAINED,
    explanations.OF_USE,
    Claim(*explanations.UNIFORM_AS_GOOD, margin=0.01),
    Claim("gradients_agree", "an LSTM's gradients agree with leaving words out more than with its attention "
          "(tau)", mean("tau_between", arm=LSTM) - mean("tau_gradient", arm=LSTM), "greater", published=0.31),
    explanations.ADVERSARY_MISLEADS,
    Claim("tau_in_range", "an LSTM's tau of attention and gradients is the published one, to 0.15",
          mean("tau_gradient", arm=LSTM), "equal", 0.35, margin=0.15, published=0.35, primary=False),
    Claim("weights_of_seeds", "attention of another seed is nearer than what is found on the frozen model",
          mean("other_seed_apart", arm=LSTM) - mean("frozen_apart", arm=LSTM), "less", primary=False),
)
# Mean tau on SST of Jain & Wallace 2019, from their repository.
PUBLISHED = {"lstm": {"gradient": 0.35, "leave_one_out": 0.29, "between": 0.66},
             "average": {"gradient": 0.61, "leave_one_out": 0.62}}


def draw(rows, settings):
    """Agreement beside published values, frozen and trained adversaries, students."""
    return explanations_figure.draw(rows, "attention as an explanation, SST", PUBLISHED)


_ARMS = (LSTM, AVERAGE, UNIFORM)
_CONFIG = {"data.buckets": (24, 56), "model.hidden": 128, "training.epochs": 4.0, "training.dropout": 0.5}

STUDY = Study(
    question="Are attention's weights an explanation of what a classifier of film reviews says?",
    claims=CLAIMS,
    presets={
        "smoke": explanations.SMOKE | {"arms": {arm: {} for arm in _ARMS}},
        "cpu": {"seeds": 8, "curve_seeds": 2, "divergence_weights": explanations.DIVERGENCE_WEIGHTS,
                "sentences": 400, "file": "configs/sentiment.py:sst", "variant": "sst", "config": _CONFIG,
                "arms": {arm: {} for arm in _ARMS}, **explanations.INSTRUMENTS},
        "accelerator": {"seeds": 8, "curve_seeds": 8,
                        "divergence_weights": explanations.MANY_WEIGHTS, "sentences": 1821,
                        "file": "configs/sentiment.py:sst", "variant": "sst",
                        "config": _CONFIG | {"model.hidden": 256, "training.epochs": 8.0},
                        "arms": {arm: {} for arm in _ARMS}, **explanations.INSTRUMENTS},
    },
    draw=draw, **explanations.SHARED)
