"""Decay against autodiff in float64's range, and against rates worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention, models
from attention_lab.analysis import decay
from attention_lab.config import Config, replace, split
from attention_lab.models.cells import scan

T, D, H = 6, 5, 3
X = jax.random.normal(jax.random.key(1), (T, D))


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_norms_are_those_of_the_whole_jacobian(kind):
    module = decay.cell(kind, H, D)
    params = decay.start(module, jax.random.key(0))

    def last(x):
        bound = module.bind({"params": params})
        (h, *_), _ = scan(bound.step(), bound.initial_state(1), bound.project_inputs(x[None]),
                          jnp.ones((1, T), bool))
        return h[0]

    wanted = jnp.log(jnp.linalg.norm(jax.jacrev(last)(X), axis=(0, 2)))[::-1]
    np.testing.assert_allclose(decay.recurrent_norms(module, params, X), wanted, rtol=1e-4, atol=1e-5)


def test_norms_below_what_float32_holds_are_still_there():
    module = decay.cell("rnn", H, D)
    params = decay.start(module, jax.random.key(0))
    params = params | {"recurrent": 0.01 * jnp.eye(H), "bias": jnp.zeros(H)}
    norms = decay.recurrent_norms(module, params, jnp.zeros((60, D)))
    # At h = 0 tanh has slope 1, so that each step back is a factor of 0.01.
    np.testing.assert_allclose(np.diff(norms), np.log(0.01), rtol=1e-4)
    assert norms[-1] < -200


def test_saturated_units_stop_the_gradient():
    """tanh is 1 at the third of six positions, where x is 1; before it nothing is left of the gradient."""
    module = decay.cell("rnn", H, D)
    params = decay.start(module, jax.random.key(0))
    params = params | {"recurrent": 0.1 * jnp.eye(H), "kernel": jnp.full((D, H), 10.0)}
    norms = decay.recurrent_norms(module, params, jnp.zeros((T, D)).at[2].set(1.0))
    assert np.isfinite(norms[:3]).all() and np.all(norms[3:] == -np.inf)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_cells_path_without_input_forgets_at_its_bias(bias):
    module = decay.cell("lstm", H, D, bias)
    params = decay.start(module, jax.random.key(0))
    rate = decay.cell_path_rate(module, params, jnp.zeros((T, D)))
    assert rate == pytest.approx({0.0: -0.6931, 1.0: -0.3133}[bias], abs=1e-3)


def test_the_cells_path_is_the_jacobian_with_the_path_of_h_cut():
    module = decay.cell("lstm", H, D)
    params = jax.tree.map(lambda x: 2.0 * x, decay.start(module, jax.random.key(0)))
    bound = module.bind({"params": params})
    step, (first, *rest) = bound.step(), bound.project_inputs(X[None])[0][:, None]
    h, c = step(bound.initial_state(1), first)

    def last(c):
        state = (h, c[None])
        for now in rest:
            state = step((jax.lax.stop_gradient(state[0]), state[1]), now)
        return state[1][0]

    jacobian = jax.jacobian(last)(c[0])
    wanted = jnp.log(jnp.linalg.norm(jacobian) / jnp.linalg.norm(jnp.eye(H))) / (T - 1)
    assert decay.cell_path_rate(module, params, X) == pytest.approx(float(wanted), rel=1e-5)
    other = decay.cell("gru", H, D)
    with pytest.raises(ValueError, match="model.kind=gru has no path along a cell: lstm has"):
        decay.cell_path_rate(other, decay.start(other, jax.random.key(0)), X)


def test_attention_is_autodiff_and_uniform_attention_dilutes_as_one_over_n():
    key = jax.random.key(3)
    norms = decay.attention_norms(key, X, H)
    w_q, w_k, w_v = (jax.nn.initializers.xavier_uniform()(one, (D, H)) for one in jax.random.split(key, 3))
    jacobian = jax.jacrev(lambda x: attention.attend(x[-1:] @ w_q, x @ w_k, x @ w_v)[0][0])(X)
    np.testing.assert_allclose(norms, jnp.log(jnp.linalg.norm(jacobian, axis=(0, 2)))[::-1], rtol=1e-5)
    same = [decay.attention_norms(key, jnp.zeros((n, D)), H)[1] for n in (8, 16)]
    assert same[0] - same[1] == pytest.approx(np.log(2), rel=1e-4)


@pytest.mark.parametrize("kind, tied", [("lstm", True), ("encoder", True), ("encoder", False)])
def test_token_norms_are_what_a_nudge_of_one_embedding_does(kind, tied):
    changes = {"data.source": "echo", "model.kind": kind, "model.width": D, "model.hidden": H,
               "model.num_layers": 1, "model.num_heads": 1, "model.causal": kind == "encoder",
               "attention.compatibility": "none" if kind == "lstm" else "dot", "model.tie_embeddings": tied}
    if kind == "lstm":
        changes |= {"model.num_heads": 4, "model.width": H}  # the last state is read from the output
    structure, hyper = split(replace(Config(), changes))
    model = models.build(structure, 9)
    params = model.init(jax.random.key(0))
    if kind == "lstm":
        params |= {"output_kernel": jnp.eye(H), "output_bias": jnp.zeros(H)}
    source = jnp.array([4, 5, 6, 7, 8, 1])  # each once, so that a row of the table is one place's input

    def last(table):
        batch = {"source": source[None], "example": jnp.zeros((1,), jnp.int32)}
        return model.apply(params | {"embedding": table}, batch, hyper).hidden[0, -1]

    rows = jax.jacrev(last)(params["embedding"])[:, source]
    np.testing.assert_allclose(decay.token_norms(structure, params, hyper, source),
                               jnp.log(jnp.linalg.norm(rows, axis=(0, 2)))[::-1], rtol=1e-4, atol=1e-5)


def test_several_layers_of_cells_are_refused():
    structure, hyper = split(replace(Config(), {"model.kind": "gru", "data.source": "echo"}))
    with pytest.raises(ValueError, match="model.num_layers=2: one recurrent layer is allowed"):
        decay.token_norms(structure, {"embedding": X}, hyper, jnp.arange(3))


def test_gradients_whose_squares_leave_float32_keep_their_logarithm():
    sizes = jnp.array([1.0, 1e-25, 1e-41, 0.0])
    found = decay._log_norms(lambda x: (sizes[:, None] * x).sum(axis=0), jnp.ones((4, 3)))[::-1]
    np.testing.assert_allclose(found[:2], np.log(np.array([1.0, 1e-25]) * 3 ** 0.5), rtol=1e-5)
    assert found[3] == -np.inf and np.isfinite(found[:2]).all()


def test_norms_of_several_sequences_are_those_of_each():
    structure, hyper = split(replace(Config(), {
        "data.source": "marked", "model.kind": "gru", "model.width": D, "model.hidden": H,
        "model.num_layers": 1, "attention.compatibility": "none"}))
    params = models.build(structure, 9).init(jax.random.key(0))
    sources = jnp.array([[4, 5, 6, 7, 8], [8, 4, 4, 6, 5]])
    np.testing.assert_allclose(
        decay.sequence_norms(structure, params, hyper, sources),
        [decay.token_norms(structure, params, hyper, source) for source in sources], rtol=1e-5)


def test_mean_field_is_log_gain_without_input_and_a_simulation_with_it():
    assert decay.mean_field_rate(0.7, 1e-6) == pytest.approx(np.log(0.7), abs=1e-6)
    gain, spread, rng = 1.2, 0.8, np.random.default_rng(0)
    z = spread * rng.standard_normal(400000)
    for _ in range(30):
        z = gain * rng.permutation(np.tanh(z)) + spread * rng.standard_normal(len(z))
        z = np.sqrt(np.mean(z ** 2)) * rng.standard_normal(len(z))  # a sum over many units is normal
    wanted = np.log(gain) + 0.5 * np.log(np.mean((1 - np.tanh(z) ** 2) ** 2))
    assert decay.mean_field_rate(gain, spread) == pytest.approx(wanted, abs=3e-3)
