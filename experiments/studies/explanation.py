"""Is attention an explanation? Three questions that are often taken for one, where the truth is known.

Jain & Wallace 2019 find other weights that leave a trained classifier's answer as it is; Wiegreffe & Pinter
2019 ask whether a model that would produce them can be trained; neither tells whether the weights point at
the cause. Here the grammar knows the one word that decides a sense, so that each explainer is scored by how
well it finds that word, on sentences that the model gets right. `explanation_sst` holds the same instruments
to real text.
"""

from attention_lab.statistics import Claim
from experiments.studies import explaining, explanation_figure
from experiments.studies.record import Study

ANOTHER = "another distribution gives the same output"
TRAINED = "a model that would produce it can be trained"
CAUSE = "the weight finds the cause"

CLAIMS = (
    Claim("context_blurs", "attention agrees with gradients by over 0.15 of tau more where each token is "
          "encoded alone than in an LSTM", "tau_gradient", ("average", "lstm"), "greater",
          published="0.61 against 0.35 (SST)"),
    Claim("another_distribution", f"{ANOTHER}: on the frozen LSTM, weights over half of log 2 apart (mean "
          "over sentences)", "frozen_apart", ("lstm", "0.347"), "greater", published="0.48 to 0.49 (SST)"),
    Claim("can_be_trained", f"{TRAINED}: an adversary's weights are farther from its guide's than another "
          "seed's are", "jensen_shannon", ("adversary", "other seed"), "greater", published="mixed"),
    Claim("finds_the_cause", f"{CAUSE}: an LSTM's attention finds the deciding word better than chance "
          "(AUC less 0.5)", "auc_attention", ("lstm", "0.5"), "greater"),
    Claim("not_as_well", "leaving words out finds it better than an LSTM's attention does (AUC)", "auc",
          ("leave_one_out", "attention"), "greater"),
    Claim("of_use", "weights of the LSTM serve a model without context better than equal ones (accuracy)",
          "test_accuracy", ("student of lstm", "student of uniform"), "greater"),
    Claim("adversary_faithful", "that adversary's predictions stay within 0.05 of its guide's (total "
          "variation, less 0.05)", "variation", ("adversary", "0.05"), "less", primary=False),
    Claim("uniform_as_good", "an LSTM with equal weights is as accurate, to one point", "test_accuracy",
          ("lstm", "uniform"), "equal", margin=0.01, primary=False),
    Claim("encoder_finds", f"{CAUSE}: self-attention's last layer finds the deciding word better than chance",
          "auc_attention", ("encoder", "0.5"), "greater", primary=False),
    Claim("rollout", "rollout over layers finds it better than the last layer", "auc",
          ("rollout", "attention"), "greater", primary=False),
    Claim("value_norm", "weights times values find it better than weights, in self-attention", "auc",
          ("value_norm", "attention"), "greater", primary=False),
    Claim("adversary_misleads", "weights of an adversary serve a model without context worse than equal ones",
          "test_accuracy", ("student of adversary", "student of uniform"), "less", primary=False),
)


def differences(rows):
    """Paired by seed."""
    def of(column, arm, worth=None):
        return explaining.numbers(rows, column, arm, worth)

    lstm, encoder, main = explaining.LSTM, explaining.ENCODER, explaining.main_worth(rows)
    return shared_differences(rows) | {
        "finds_the_cause": of("auc_attention", lstm) - 0.5,
        "not_as_well": of("auc_leave_one_out", lstm) - of("auc_attention", lstm),
        "adversary_faithful": of("variation", explaining.ADVERSARY, main) - 0.05,
        "encoder_finds": of("auc_attention", encoder) - 0.5,
        "rollout": of("auc_rollout", encoder) - of("auc_attention", encoder),
        "value_norm": of("auc_value_norm", encoder) - of("auc_attention", encoder),
    }


def shared_differences(rows):
    """Those that need no truth."""
    def of(column, arm, worth=None):
        return explaining.numbers(rows, column, arm, worth)

    lstm, average, main = explaining.LSTM, explaining.AVERAGE, explaining.main_worth(rows)
    students = {name: of("test_accuracy", name) for name in explaining.STUDENTS}
    return {
        "context_blurs": of("tau_gradient", average) - of("tau_gradient", lstm) - 0.15,
        "another_distribution": of("frozen_apart", lstm) - 0.3466,
        "can_be_trained": of("jensen_shannon", explaining.ADVERSARY, main) - of("other_seed_apart", lstm),
        "of_use": students["student of lstm"] - students["student of uniform"],
        "uniform_as_good": of("test_accuracy", lstm) - of("test_accuracy", explaining.UNIFORM),
        "adversary_misleads": students["student of adversary"] - students["student of uniform"],
    }


def draw(rows, settings):
    """Agreement, causes, frozen and trained adversaries, students."""
    return explanation_figure.draw(rows, "attention as an explanation, where the deciding word is known")


_CONFIG = {
    "data.source": "senses", "data.train_size": 12000, "data.dev_size": 300, "data.test_size": 600,
    "data.most_distance": 12, "data.max_words": 20, "data.max_length": 24, "data.buckets": (24,),
    "model.width": 64, "training.batch_tokens": 1536, "training.steps": 600, "training.dropout": 0.1,
    "training.balance": 0.0, "training.eval_every": 100, "training.checkpoint_every": 300,
    "optimizer.learning_rate": 0.003, "optimizer.schedule": "cosine", "optimizer.warmup_steps": 50,
}
_SMOKE = {"training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2, "data.test_size": 12,
          "data.train_size": 200, "data.max_words": 12, "data.max_length": 16, "data.buckets": (16,),
          "data.most_distance": 4, "training.batch_tokens": 128}
INSTRUMENTS = {"shuffles": 100, "attack_steps": 300, "attack_starts": 3}

STUDY = Study(
    name="explanation",
    question="Are attention's weights an explanation of what a classifier says?",
    claims=CLAIMS,
    presets={
        "smoke": {"study": "explanation", "seeds": 2, "curve_seeds": 0, "worths": (0.01,), "sentences": 6,
                  "file": "configs/sentiment.py:smoke", "variant": "", "config": _SMOKE,
                  "arms": {arm: {"model.bidirectional": False} for arm in explaining.ARMS} | {
                      explaining.ENCODER: {"model.num_layers": 1}},
                  "shuffles": 3, "attack_steps": 5, "attack_starts": 1},
        "cpu": {"study": "explanation", "seeds": 8, "curve_seeds": 2, "worths": (0.001, 0.0001, 0.01),
                "sentences": 300, "file": "configs/sentiment.py", "variant": "", "config": _CONFIG,
                "arms": {arm: {"model.hidden": 128} for arm in explaining.ARMS} | {
                    explaining.ENCODER: {"model.hidden": 128, "training.steps": 1200}}, **INSTRUMENTS},
        "accelerator": {"study": "explanation", "seeds": 8, "curve_seeds": 8,
                        "worths": (0.001, 0.0001, 0.0003, 0.003, 0.01), "sentences": 600,
                        "file": "configs/sentiment.py", "variant": "",
                        "config": _CONFIG | {
                            "data.train_size": 40000, "data.most_distance": 40, "data.max_words": 50,
                            "data.max_length": 56, "data.buckets": (56,), "training.steps": 5000,
                            "training.batch_tokens": 8192},
                        "arms": {arm: {"model.hidden": 256} for arm in explaining.ARMS}, **INSTRUMENTS},
    },
    cells=explaining.cells, measure=explaining.measure, differences=differences, draw=draw,
    config=explaining.config, overrides=explaining.overrides)
