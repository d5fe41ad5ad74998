"""Read-outs in training: what is logged, a penalty by hand, and that it moves entropy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config, models
from attention_lab.config import Config, replace, rules, split
from attention_lab.training.losses import TokenLoss
from attention_lab.training.optimizer import recipe
from attention_lab.training.programs import initial_state
from attention_lab.training.readouts import terms
from attention_lab.training.step import make_step

SMALL = {"model.width": 8, "model.num_heads": 2, "model.num_layers": 1, "model.hidden": 8,
         "training.dropout": 0.0, "optimizer.warmup_steps": 0, "optimizer.schedule": "constant",
         "optimizer.learning_rate": 0.01}
BATCH = {"source": jnp.array([[4, 5, 6, 7, 2], [8, 9, 2, 0, 0]]), "target": jnp.array([[5, 4, 2], [7, 2, 0]]),
         "example": jnp.arange(2)}


def test_a_row_counts_as_often_as_its_tokens_and_padding_not_at_all():
    hyper = split(replace(Config(), {"training.entropy_weight": 0.5}))[1]
    # (L, B, H, T): two heads that differ by 2.
    values = jnp.array([[[[1., 2., 3.]], [[10., 20., 99.]]]]) + jnp.array([0., 2.])[None, None, :, None]
    penalty, logged = terms({"cross": {"entropy": values}}, BATCH, jnp.array([3, 2]), hyper)
    np.testing.assert_allclose(penalty, 0.5 * (3 * (2 + 1) + 2 * (15 + 1)))
    assert {name: (float(x.total), float(x.count)) for name, x in logged.items()} == {
        "entropy_cross": (3 + 16, 2)}


def trained(entropy_weight, steps=40):
    """The entropies after training, by kind of attention."""
    structure, hyper = split(replace(Config(), SMALL | {
        "attention.readouts": "entropy,largest", "training.entropy_weight": entropy_weight}))
    loss = TokenLoss(models.build(structure, 11), "float32", config.readouts_of(structure))
    settings = recipe(structure, steps)
    step = jax.jit(make_step(loss, settings))
    state = initial_state(loss.model.init, settings, hyper)
    for _ in range(steps):
        state, logged = step(state, BATCH, hyper)
    return {name: float(x.total / x.count) for name, x in logged.items()}


def test_a_penalty_lowers_entropy_and_a_reward_raises_it():
    low, none, high = (trained(weight) for weight in (0.3, 0.0, -0.3))
    for kind in ("encoder", "decoder", "cross"):
        assert low[f"entropy_{kind}"] < none[f"entropy_{kind}"] < high[f"entropy_{kind}"]
        assert low[f"largest_{kind}"] > high[f"largest_{kind}"]
        assert {name for name in none if name.startswith("cross")} == {"cross_entropy"}


@pytest.mark.parametrize("settings, words", [
    ({"training.entropy_weight": 1.0}, "training.entropy_weight=1 needs attention.readouts=entropy"),
    ({"attention.readouts": "sharpness"}, "'sharpness': entropy, largest, log_sum_exp, distance are allowed"),
    ({"attention.readouts": "received"}, "'received': entropy"),
    ({"attention.readouts": "entropy", "model.kind": "gru", "attention.compatibility": "additive"},
     "attention.readouts=entropy means nothing to model.kind=gru"),
])
def test_what_is_refused(settings, words):
    with pytest.raises(ValueError) as error:
        rules.check(replace(Config(), settings))
    assert words in str(error.value)
