"""Layers over the length: token by token is the whole, no layer sees the future, loops are counted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.analysis import lengths

D, H, T = 6, 2, 7
ANYWHERE = [arm for arm in lengths.LAYERS if arm != "fused"]


def made(arm):
    layer = lengths.LAYERS[arm](D, H)
    return layer, layer.init(jax.random.key(0)), jax.random.normal(jax.random.key(1), (T, D))


@pytest.mark.parametrize("arm", ANYWHERE)
def test_token_by_token_is_the_whole(arm):
    """Attention's carry is filled with zeros, and full at the last of as many tokens as it has room for."""
    layer, params, x = made(arm)
    carry, outs = layer.begin(T), []
    for t in range(T):
        carry, out = jax.jit(layer.step)(params, carry, x[t])
        outs.append(out)
    whole = layer.whole(params, x)
    assert whole.shape == (T, D)
    rows = slice(0, T) if arm in ("gru", "lstm", "linear") else slice(T - 1, T)
    np.testing.assert_allclose(np.stack(outs)[rows], whole[rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arm", ["attention", "blockwise"])
def test_a_full_carry_forgets_the_oldest_token(arm):
    layer, params, x = made(arm)
    carry = layer.begin(T - 3)
    for now in x:
        carry, out = jax.jit(layer.step)(params, carry, now)
    np.testing.assert_allclose(out, layer.whole(params, x[3:])[-1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arm", ANYWHERE)
def test_no_position_sees_the_next(arm):
    layer, params, x = made(arm)
    changed = layer.whole(params, x.at[3].add(1.0)) - layer.whole(params, x)
    assert np.abs(changed[:3]).max() == 0 and (np.abs(changed[3:]).max(axis=1) > 1e-6).all()


def test_attention_by_blocks_is_attention():
    (layer, params, x), (other, _, _) = made("attention"), made("blockwise")
    g = jnp.cos(x)
    for a, b in zip(jax.tree.leaves(lengths.gradients(layer)(params, x, g)), jax.tree.leaves(
            jax.grad(lambda *given: (layer.whole(*given) * g).sum(), (0, 1))(params, x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(jax.tree.leaves(lengths.gradients(layer)(params, x, g)),
                    jax.tree.leaves(lengths.gradients(other)(params, x, g)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel", lengths.KERNELS)
def test_fused_attention_is_attention_rounded_to_bfloat16(on_its_device, kernel):
    with pytest.raises(ValueError, match="the device has no fused attention for 2 heads of 3 units"):
        lengths.LAYERS["fused"](D, H)
    on_its_device(kernel)
    assert lengths.kernel_here(D, H) == kernel
    (layer, params, x), (other, _, _) = made("fused"), made("attention")
    assert layer.whole(params, x).dtype == jnp.float32
    np.testing.assert_allclose(layer.whole(params, x), other.whole(params, x), atol=0.03)
    assert np.abs(layer.whole(params, x) - other.whole(params, x)).max() > 1e-5  # else nothing was rounded


def test_a_kernel_without_room_for_a_head_is_none(on_its_device):
    on_its_device("cudnn")
    assert lengths.kernel_here(128, 1) == "cudnn" and lengths.kernel_here(129 * 8, 1) == ""


def test_an_lstm_carries_two_states_and_a_gru_one():
    assert [len(lengths.LAYERS[arm](D, H).begin(T)) for arm in ("gru", "lstm")] == [1, 2]


def test_steps_are_fed_with_what_came_out():
    layer, params, x = made("gru")
    state, out = layer.begin(0), x[0]
    for _ in range(3):
        state, out = layer.step(params, state, jnp.tanh(out))
    np.testing.assert_allclose(lengths.token_by_token(layer, 3)(params, layer.begin(0), x[0]), out, rtol=1e-5)


def test_loop_iterations_are_counted():
    layer, params, x = made("gru")
    assert lengths.depth(layer.whole, params, x) == T
    assert lengths.depth(lengths.gradients(layer), params, x, x) == 2 * T
    for arm in ("attention", "linear"):
        layer, params, x = made(arm)
        assert lengths.depth(lengths.gradients(layer), params, x, x) == 0

    def nested(x):
        def outer(a, b):
            return jax.lax.scan(lambda a, b: (a + b, None), a, x[:2])[0], None
        return jax.jit(lambda: jax.lax.scan(outer, 0.0, x[:5])[0])()
    assert lengths.depth(nested, x[:, 0]) == 10
