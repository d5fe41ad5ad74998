"""The recurrent tagger: no token sees what comes after it, and padding changes nothing."""

import types

import jax
import numpy as np
import pytest

from attention_lab.config import Config, replace
from attention_lab.config.rules import check
from attention_lab.models import tagger
from tests.models.sentences import batch, built, logits

SMALL = {"data.source": "echo", "model.width": 6, "model.hidden": 5, "attention.compatibility": "none"}


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_a_token_sees_itself_and_the_past(kind):
    model, params, hyper = built(SMALL | {"model.kind": kind})
    run = jax.jit(lambda batch: logits(model, params, batch, hyper))
    changed = {name: x.copy() for name, x in batch().items()}
    changed["source"][0, 3] = 4 + (changed["source"][0, 3] - 3) % 19
    difference = np.abs(run(batch()) - run(changed))[0].max(axis=1)
    assert difference[:3].max() == 0.0 and (difference[3:] > 1e-6).all()
    real = batch()["source"] > 0
    np.testing.assert_allclose(run(batch(4))[:, :7][real], run(batch())[real], rtol=0, atol=1e-6)


@pytest.mark.parametrize("changes, words", [
    ({"model.bidirectional": True}, "model.bidirectional=true: token by token a recurrent network reads"),
    ({"attention.compatibility": "dot"}, "attention.compatibility=dot: token by token"),
    ({"model.kind": "transformer"}, "model.kind=transformer does not fit data.source=echo: encoder, linear"),
    ({"model.kind": "encoder", "attention.compatibility": "dot", "model.positions": "learned",
      "data.distance": 480, "data.answers": 33}, "data.distance=480 and data.answers=33 make sequences"),
])
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        check(replace(Config(), SMALL | {"model.kind": "gru"} | changes))


def test_dropout_is_on_where_there_is_a_key():
    model, params, hyper = built(SMALL | {"model.kind": "gru", "model.num_layers": 2})
    key, plain = jax.random.key(0), logits(model, params, batch(), hyper)
    none, much = (logits(model, params, batch(), hyper._replace(dropout=np.float32(rate)), key)
                  for rate in (0.0, 0.5))
    np.testing.assert_allclose(none, plain, rtol=1e-6)
    assert np.abs(much - plain).max() > 1e-3


@pytest.mark.parametrize("kind", ["gru", "encoder"])
def test_a_shift_adds_the_token_before_through_its_matrix(kind):
    """Zeros change nothing; with the identity the first layer reads e_t + e_(t-1)."""
    changes = SMALL | {"model.kind": kind, "model.shift": True} | (
        {"attention.compatibility": "dot", "model.causal": True, "model.num_heads": 2}
        if kind == "encoder" else {})
    model, params, hyper = built(changes)
    plain, without, _ = built(changes | {"model.shift": False})
    assert without.keys() == params.keys() - {"shift_kernel"} and params["shift_kernel"].shape == (6, 6)
    zero = params | {"shift_kernel": np.zeros((6, 6), np.float32)}
    rest = {name: leaf for name, leaf in params.items() if name != "shift_kernel"}
    np.testing.assert_allclose(logits(model, zero, batch(), hyper), logits(plain, rest, batch(), hyper),
                               rtol=1e-5, atol=1e-6)
    tokens, table = batch()["source"], np.asarray(params["embedding"])
    module = types.SimpleNamespace(spec=model.spec, embedding=params["embedding"], shift_kernel=np.eye(6))
    wanted = 6 ** 0.5 * table[tokens]
    wanted[:, 1:] += 6 ** 0.5 * table[tokens[:, :-1]]
    np.testing.assert_allclose(tagger.vectors(module, tokens), wanted, rtol=1e-5, atol=1e-6)


def test_a_shift_is_for_answers_token_by_token():
    with pytest.raises(ValueError, match="model.shift=true means nothing to data.source=grammar"):
        check(replace(Config(), {"model.shift": True}))
