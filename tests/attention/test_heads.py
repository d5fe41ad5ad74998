"""The lift: each head of each sentence is what attend says, whatever the mask's shape."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention

B, H, T, S, K, V = 2, 3, 5, 7, 11, 13


@pytest.fixture
def qkv(lab):
    return lab.normal(0, (B, H, T, K), (B, H, S, K), (B, H, S, V))


def one_by_one(q, k, v, mask, scales, compatibilities):
    """Context and weights of every head by itself; scales and compatibilities are one a head."""
    heads = [jax.jit(functools.partial(attention.attend, scale=scale, compatibility=compatibility))
             for scale, compatibility in zip(scales, compatibilities, strict=True)]
    each = [[heads[h](q[b, h], k[b, h], v[b, h], mask[b, h]) for h in range(H)] for b in range(B)]
    return [np.stack([np.stack([each[b][h][i] for h in range(H)]) for b in range(B)])
            for i in range(2)]


@pytest.mark.parametrize("shape", [(T, S), (1, S), (B, T, S), (B, 1, S), (1, T, S), (B, H, T, S),
                                   (B, 1, T, S), (1, H, T, S), (B, 1, 1, S), (1, 1, T, 1)])
def test_every_shape_of_mask_is_broadcast(qkv, shape):
    mask = np.random.default_rng(len(shape)).random(shape) < 0.6
    full = mask[:, None] if mask.ndim == 3 else mask
    full = np.broadcast_to(full, (B, H, T, S))
    found = attention.multi_head(*qkv, mask, return_weights=True)
    expected = one_by_one(*map(np.asarray, qkv), full, [None] * H, [attention.dot] * H)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found[0], attention.multi_head(*qkv, mask))


@pytest.mark.parametrize("name", ["general", "additive"])
def test_each_head_has_its_own_parameters_and_scale(lab, qkv, name):
    w, w_key, u = lab.normal(1, (H, K, K), (H, K, K), (H, K))
    parameters = {"w": w} if name == "general" else {"w_query": w, "w_key": w_key, "v": u}
    scales = jnp.array([0.1, 0.2, 0.3])
    maker = getattr(attention, name)
    found = attention.multi_head(*qkv, scale=scales, compatibility=maker, parameters=parameters,
                                 return_weights=True)
    compatibilities = [maker(**{key: x[h] for key, x in parameters.items()}) for h in range(H)]
    everything = np.ones((B, H, T, S), bool)
    expected = one_by_one(*map(np.asarray, qkv), everything, scales, compatibilities)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_default_scale_of_a_maker_is_that_of_what_it_makes(lab, qkv):
    (w,) = lab.normal(2, (H, K, K))
    arguments = dict(compatibility=attention.general, parameters={"w": w})
    np.testing.assert_array_equal(attention.multi_head(*qkv, **arguments),
                                  attention.multi_head(*qkv, scale=K ** -0.5, **arguments))


def test_permuted_heads_and_sentences_give_permuted_results(qkv):
    context = attention.multi_head(*qkv)
    heads = attention.multi_head(*[x[:, np.array([2, 0, 1])] for x in qkv])
    np.testing.assert_allclose(heads, context[:, np.array([2, 0, 1])], rtol=1e-6, atol=1e-6)
    sentences = attention.multi_head(*[x[::-1] for x in qkv])
    np.testing.assert_allclose(sentences, context[::-1], rtol=1e-6, atol=1e-6)


@functools.partial(jax.jit, static_argnums=0)
def pulled(function, q, k, v, g):
    """The value of the function and the gradients of q, k and v for the cotangent g."""
    value, pull = jax.vjp(function, q, k, v)
    return value, *pull(g)


@pytest.mark.parametrize("implementation", ["reference", "xla"])
@pytest.mark.parametrize("mask", ["none", "causal", "random"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_implementations_agree_with_attend_in_value_and_gradient(
        lab, qkv, implementation, mask, dtype):
    q, k, v, g = (x.astype(dtype) for x in (*qkv, *lab.normal(3, (B, H, T, V))))
    mask = {"none": None, "causal": attention.causal(7)[:5],
            "random": jnp.asarray(np.random.default_rng(4).random((B, H, T, S)) < 0.3)}[mask]
    full = np.broadcast_to(True if mask is None else mask, (B, H, T, S))
    attend = jax.vmap(jax.vmap(lambda q, k, v, m: attention.attend(q, k, v, m)[0]))
    lifted = functools.partial(attention.multi_head, mask=mask, implementation=implementation)
    expected = pulled(lambda *x: attend(*x, full), q, k, v, g)
    found = pulled(lifted, q, k, v, g)
    tolerance = dict(rtol=1e-4, atol=1e-5) if dtype == "float32" else dict(rtol=2e-2, atol=2e-2)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(*(np.asarray(x, np.float32) for x in (a, b)), **tolerance)
        # Rows and columns that are exactly 0 in the one are so in the other.
        np.testing.assert_array_equal(*((np.asarray(x) == 0).all(-1) for x in (a, b)))


@pytest.mark.parametrize("implementation", ["reference", "xla"])
def test_bad_keys_and_values_show_in_the_rows_that_see_them_and_there_alone(qkv, implementation):
    q, k, v = qkv
    mask = jnp.asarray(np.random.default_rng(5).random((B, H, T, S)) < 0.5).at[:, :, 2].set(False)
    bad = (k.at[:, 1, 3, 2].set(jnp.nan), v.at[:, 2, 4].set(jnp.inf))
    seen = np.zeros((B, H, T), bool)
    seen[:, 1], seen[:, 2] = mask[:, 1, :, 3], mask[:, 2, :, 4]
    run = jax.jit(functools.partial(attention.multi_head, mask=mask,
                                    implementation=implementation))
    clean, spoilt = run(q, k, v), run(q, *bad)
    np.testing.assert_array_equal(np.isfinite(spoilt).all(-1), ~seen)
    np.testing.assert_allclose(spoilt[~seen], clean[~seen], rtol=1e-5, atol=1e-6)

    def loss(q, k, v):
        # Cotangents are 0 in the rows that see something bad.
        return (jnp.where(seen[..., None], 0, run(q, k, v)) ** 2).sum()
    gradients = jax.jit(jax.grad(loss, (0, 1, 2)))
    for a, b in zip(gradients(q, k, v), gradients(q, *bad), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("implementation", ["reference", "xla"])
def test_a_traced_scale_is_a_number_in_the_program(qkv, implementation):
    @jax.jit
    def gradient(scale):
        return jax.value_and_grad(lambda scale: (attention.multi_head(
            *qkv, scale=scale, implementation=implementation) ** 2).sum())(scale)
    value, slope = gradient(0.3)
    up, down = gradient(0.3 + 1e-2)[0], gradient(0.3 - 1e-2)[0]
    np.testing.assert_allclose(slope, (up - down) / 2e-2, rtol=1e-2)
    assert gradient._cache_size() == 1


@pytest.mark.parametrize("arguments, words", [
    (dict(implementation="flash"), "allowed are reference, xla"),
    (dict(implementation="xla", compatibility=attention.cosine), "cosine"),
    (dict(implementation="xla", return_weights=True), "return_weights"),
    (dict(mask=np.ones((S, T), bool)), "(2, 3, 5, 7)"),
    (dict(mask=np.ones((B, T, S))), "allowed is bool"),
    (dict(scale=jnp.ones(H + 1)), "scale has shape (4,)"),
    (dict(compatibility=attention.general, parameters={"w": jnp.ones((H + 1, K, K))}),
     "parameters['w'] has shape (4, 11, 11)"),
])
def test_what_can_not_be_done_is_refused(qkv, arguments, words):
    with pytest.raises(ValueError) as error:
        attention.multi_head(*qkv, **arguments)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_shapes_that_do_not_fit_are_refused(qkv):
    q, k, v = qkv
    for arguments in ((q[0], k, v), (q[:1], k, v), (q, k[:, :2], v), (q, k[..., :3], v),
                      (q, k, v[:, :, :4])):
        with pytest.raises(ValueError, match="q, k and v have shapes|q and k have shapes"):
            attention.multi_head(*arguments)
