"""Is attention an explanation of what a classifier of film reviews says? (Jain & Wallace 2019)

The very file that they made of SST (--data), embeddings from scratch where they take fastText's, their
classifier and their control. The arms, the instruments and what each claim means are those of `explanation`,
but for the cause, which nobody knows here.
"""

from attention_lab.statistics import Claim
from experiments.studies import explaining, explanation, explanation_figure
from experiments.studies.record import Study

_BOTH = {claim.name: claim for claim in explanation.CLAIMS}
CLAIMS = (
    _BOTH["context_blurs"], _BOTH["another_distribution"], _BOTH["can_be_trained"], _BOTH["of_use"],
    Claim("uniform_as_good", "an LSTM with equal weights is as accurate, to one point", "test_accuracy",
          ("lstm", "uniform"), "equal", margin=0.01),
    Claim("gradients_agree", "an LSTM's gradients agree with leaving words out more than with its attention "
          "(tau)", "tau", ("gradient, leave one out", "gradient, attention"), "greater",
          published="0.66 against 0.35"),
    _BOTH["adversary_misleads"],
    Claim("tau_in_range", "an LSTM's tau of attention and gradients is the published one, to 0.15",
          "tau_gradient", ("lstm", "0.35"), "equal", margin=0.15, primary=False, published="0.35"),
    Claim("weights_of_seeds", "attention of another seed is nearer than what is found on the frozen model",
          "apart", ("other seed", "frozen"), "less", primary=False),
)
# Mean tau of Jain & Wallace 2019 on SST, from the results in their repository.
PUBLISHED = {"lstm": {"gradient": 0.35, "leave_one_out": 0.29, "between": 0.66},
             "average": {"gradient": 0.61, "leave_one_out": 0.62}}


def differences(rows):
    """Paired by seed."""
    def of(column):
        return explaining.numbers(rows, column, explaining.LSTM)

    return explanation.shared_differences(rows) | {
        "gradients_agree": of("tau_between") - of("tau_gradient"),
        "tau_in_range": of("tau_gradient") - 0.35,
        "weights_of_seeds": of("other_seed_apart") - of("frozen_apart"),
    }


def draw(rows, settings):
    """Agreement beside what was published, frozen and trained adversaries, students."""
    return explanation_figure.draw(rows, "attention as an explanation, SST", PUBLISHED)


_ARMS = (explaining.LSTM, explaining.AVERAGE, explaining.UNIFORM)
_CONFIG = {"data.buckets": (24, 56), "model.hidden": 128, "training.epochs": 4.0, "training.dropout": 0.5}

STUDY = Study(
    name="explanation_sst",
    question="Are attention's weights an explanation of what a classifier of film reviews says?",
    claims=CLAIMS,
    presets={
        "smoke": explanation.STUDY.presets["smoke"] | {"study": "explanation_sst",
                                                       "arms": {arm: {} for arm in _ARMS}},
        "cpu": {"study": "explanation_sst", "seeds": 8, "curve_seeds": 2, "worths": (0.001, 0.0001, 0.01),
                "sentences": 400, "file": "configs/sentiment.py:sst", "variant": "sst", "config": _CONFIG,
                "arms": {arm: {} for arm in _ARMS}, **explanation.INSTRUMENTS},
        "accelerator": {"study": "explanation_sst", "seeds": 8, "curve_seeds": 8,
                        "worths": (0.001, 0.0001, 0.0003, 0.003, 0.01), "sentences": 1821,
                        "file": "configs/sentiment.py:sst", "variant": "sst",
                        "config": _CONFIG | {"model.hidden": 256, "training.epochs": 8.0},
                        "arms": {arm: {} for arm in _ARMS}, **explanation.INSTRUMENTS},
    },
    cells=explaining.cells, measure=explaining.measure, differences=differences, draw=draw,
    config=explaining.config, overrides=explaining.overrides)
