"""Read-outs and dropout of weights in models: as of the weights, without padding, different at each place."""

import jax
import numpy as np
import pytest

from attention_lab.data.vocabulary import PAD
from attention_lab.models import spec
from tests.models.sentences import batch, built

SIZES = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2}
MODELS = {
    "transformer": SIZES,
    "encoder": SIZES | {"data.source": "recall", "model.kind": "encoder"},
    "causal encoder": SIZES | {"data.source": "recall", "model.kind": "encoder", "model.causal": True},
}
SIDES = {"encoder": ("source", "source"), "decoder": ("target", "target"), "cross": ("target", "source")}


@pytest.mark.parametrize("kind", MODELS)
def test_read_outs_are_those_of_the_weights_and_padding_gives_nothing(kind):
    model, params, hyper = built(MODELS[kind])
    given = batch()
    run = jax.jit(lambda params, readouts, with_weights: model.apply(
        params, given, hyper, with_weights=with_weights, readouts=readouts), static_argnums=(1, 2))
    weights = run(params, (), True).weights
    output = run(params, ("entropy", "largest", "received"), False)
    assert output.weights == {} and output.readouts.keys() == weights.keys()
    for kind, values in output.readouts.items():
        w = np.asarray(weights[kind])
        real = (np.asarray(given[SIDES[kind][0]]) != PAD)[None, :, None, :]
        entropy = -(w * np.log(np.where(w > 0, w, 1))).sum(-1)
        for ours, expected in ((values["entropy"], entropy), (values["largest"], w.max(-1))):
            np.testing.assert_allclose(ours * real, expected * real, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(values["received"], (w * real[..., None]).sum(-2), rtol=1e-5, atol=1e-6)
        assert values["received"].shape == (2, *w.shape[1:3], w.shape[-1])


def test_both_weights_and_read_outs():
    model, params, hyper = built(MODELS["transformer"])
    output = jax.jit(lambda params: model.apply(params, batch(), hyper, with_weights=True,
                                                readouts=("largest",)))(params)
    for kind, weights in output.weights.items():
        np.testing.assert_allclose(output.readouts[kind]["largest"], weights.max(-1), rtol=1e-6)


def test_a_model_without_heads_has_none():
    model, params, hyper = built({"model.kind": "gru", "model.width": 6, "model.hidden": 8,
                                  "model.num_layers": 1, "attention.compatibility": "additive"})
    with pytest.raises(ValueError, match="model.kind=gru has no heads to read"):
        model.apply(params, batch(), hyper, readouts=("entropy",))


def test_weights_are_dropped_in_training_alone_and_otherwise_in_each_layer(monkeypatch):
    changes = MODELS["transformer"] | {"training.dropout": 0.0}
    model, params, hyper = built(changes | {"attention.dropout": 0.5})
    plain = built(changes)[0]
    run = jax.jit(lambda params, key, model: model.apply(params, batch(), hyper, key).hidden,
                  static_argnames="model")
    key = jax.random.key(0)
    np.testing.assert_array_equal(run(params, None, model=model), run(params, None, model=plain))
    assert np.abs(run(params, key, model=model) - run(params, key, model=plain)).max() > 1e-2
    np.testing.assert_array_equal(run(params, key, model=model), run(params, key, model=model))

    sites = []
    monkeypatch.setattr(spec, "dropout_of_weights", lambda *_: sites.append)
    jax.eval_shape(lambda params: model.apply(params, batch(), hyper, key).hidden, params)
    assert len(sites) == len(set(sites)) == 2 + 2 * 2  # a layer of the encoder has one, of the decoder two


def test_implementations_agree_with_dropout_and_read_outs():
    changes = MODELS["transformer"] | {"attention.dropout": 0.3}
    params, hyper = built(changes)[1:]

    def total(params, model):
        output = model.apply(params, batch(), hyper, jax.random.key(1), readouts=("entropy",))
        return (output.readouts["cross"]["entropy"] ** 2).sum()
    gradient = jax.jit(jax.grad(total), static_argnames="model")
    reference, blockwise = (gradient(params, model=built(changes | {"attention.implementation": name})[0])
                            for name in ("reference", "blockwise"))
    for a, b in zip(jax.tree.leaves(reference), jax.tree.leaves(blockwise), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
