"""Is attention an explanation? Three questions that are often conflated, asked where the truth is known.

Jain & Wallace 2019 find other attention weights that leave a prediction unchanged; Wiegreffe & Pinter 2019
ask whether a model that produces them can be trained; neither shows whether attention points at the cause.
Here the grammar defines the word that decides a sense, and each explainer is scored by how well it ranks that
word.
"""

from attention_lab.studies import Claim, Study, mean
from attention_lab.studies.recipes import explanations, explanations_figure
from attention_lab.studies.recipes.explanations import ENCODER, LSTM

CLAIMS = (
    explanations.CONTEXT_BLURS,
    explanations.ANOTHER_DISTRIBUTION,
    explanations.CAN_BE_TRAINED,
    Claim("finds_the_cause", "the weight finds the cause: an LSTM's attention finds the deciding word better "
          "than chance (AUC)", mean("auc_attention", arm=LSTM), "greater", 0.5),
    Claim("not_as_well", "leaving words out finds it better than an LSTM's attention does (AUC)",
          mean("auc_leave_one_out", arm=LSTM) - mean("auc_attention", arm=LSTM), "greater"),
    explanations.OF_USE,
    Claim("adversary_faithful", "that adversary's predictions stay within 0.05 of its guide's (total "
          "variation)", explanations.of_adversary("variation"), "less", 0.05, primary=False),
    Claim(*explanations.UNIFORM_AS_GOOD, margin=0.01, primary=False),
    Claim("encoder_finds", "the weight finds the cause: self-attention's last layer finds the deciding word "
          "better than chance", mean("auc_attention", arm=ENCODER), "greater", 0.5, primary=False),
    Claim("rollout", "rollout over layers finds it better than the last layer",
          mean("auc_rollout", arm=ENCODER) - mean("auc_attention", arm=ENCODER), "greater", primary=False),
    Claim("value_norm", "weights times values find it better than weights, in self-attention",
          mean("auc_value_norm", arm=ENCODER) - mean("auc_attention", arm=ENCODER), "greater", primary=False),
    explanations.ADVERSARY_MISLEADS,
)


def draw(rows, settings):
    """Agreement, causes, frozen and trained adversaries, students."""
    return explanations_figure.draw(rows, "attention as an explanation, where the deciding word is known")


_CONFIG = {
    "data.source": "senses", "data.train_size": 12000, "data.dev_size": 300, "data.test_size": 600,
    "data.most_distance": 12, "data.max_words": 20, "data.max_length": 24, "data.buckets": (24,),
    "model.width": 64, "training.batch_tokens": 1536, "training.steps": 600, "training.dropout": 0.1,
    "training.balance": 0.0, "training.eval_every": 100, "training.checkpoint_every": 300,
    "optimizer.learning_rate": 0.003, "optimizer.schedule": "cosine", "optimizer.warmup_steps": 50,
}

STUDY = Study(
    question="Are attention's weights an explanation of what a classifier says?",
    claims=CLAIMS,
    presets={
        "smoke": explanations.SMOKE | {
            "arms": {arm: {"model.bidirectional": False} for arm in explanations.ARMS} | {
                ENCODER: {"model.num_layers": 1}}},
        "cpu": {"seeds": 8, "curve_seeds": 2, "divergence_weights": explanations.DIVERGENCE_WEIGHTS,
                "sentences": 300, "file": "configs/sentiment.py", "variant": "", "config": _CONFIG,
                "arms": {arm: {"model.hidden": 128} for arm in explanations.ARMS} | {
                    ENCODER: {"model.hidden": 128, "training.steps": 1200}}, **explanations.INSTRUMENTS},
        "accelerator": {"seeds": 8, "curve_seeds": 8,
                        "divergence_weights": explanations.MANY_WEIGHTS, "sentences": 600,
                        "file": "configs/sentiment.py", "variant": "",
                        "config": _CONFIG | {
                            "data.train_size": 40000, "data.most_distance": 40, "data.max_words": 50,
                            "data.max_length": 56, "data.buckets": (56,), "training.steps": 5000,
                            "training.batch_tokens": 8192},
                        "arms": {arm: {"model.hidden": 256} for arm in explanations.ARMS},
                        **explanations.INSTRUMENTS},
    },
    draw=draw, **explanations.SHARED)
