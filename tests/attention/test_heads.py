"""The lift: each head of each sentence is what attend says, whatever the mask's shape."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention import masks
from attention_lab.attention.implementations import blockwise

B, H, T, S, K, V = 2, 3, 5, 7, 11, 13


@pytest.fixture
def qkv(lab):
    return lab.normal(0, (B, H, T, K), (B, H, S, K), (B, H, S, V))


def one_by_one(q, k, v, mask, scales, scores):
    """Context and weights of every head by itself, each with a scale and a score."""
    heads = [jax.jit(functools.partial(attention.attend, scale=scale, score=score))
             for scale, score in zip(scales, scores, strict=True)]
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


@pytest.mark.parametrize("shape", [(T,), (1,), (B, T), (B, 1), (B, H, T), (1, H, 1)])
def test_every_shape_of_interval_is_broadcast(qkv, shape):
    start, stop = np.random.default_rng(len(shape)).integers(0, S, (2, *shape))
    mask = attention.Mask(start, stop)
    for a, b in zip(attention.multi_head(*qkv, mask, return_weights=True),
                    attention.multi_head(*qkv, mask.as_array(T, S), return_weights=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name, entry in attention.SCORES.items() if entry.parameters])
def test_each_head_has_its_own_parameters_and_scale(lab, qkv, name):
    entry, sizes = attention.SCORES[name], {"K": K, "A": K}
    shapes = [(H, *(sizes[axis] for axis in one.axes)) for one in entry.parameters.values()]
    parameters = dict(zip(entry.parameters, lab.normal(1, *shapes)))
    scales = jnp.array([0.1, 0.2, 0.3])
    found = attention.multi_head(*qkv, scale=scales, score=entry.function, parameters=parameters,
                                 return_weights=True)
    scores = [functools.partial(entry.function, **{key: x[h] for key, x in parameters.items()})
              for h in range(H)]
    expected = one_by_one(*map(np.asarray, qkv), np.ones((B, H, T, S), bool), scales, scores)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_each_head_may_have_its_own_soft_cap(qkv):
    caps = jnp.array([0.5, 2.0, 7.0])
    found = attention.multi_head(*qkv, scale=1.0, soft_cap=caps)
    for h in range(H):
        np.testing.assert_allclose(found[:, h], attention.multi_head(*qkv, scale=1.0, soft_cap=caps[h])[:, h],
                                   rtol=1e-5, atol=1e-6)


def test_a_number_is_a_parameter_of_all_heads(qkv):
    run = functools.partial(attention.multi_head, *qkv, score=attention.cosine)
    np.testing.assert_allclose(run(parameters={"gain": 3.0}), run(scale=3.0), rtol=1e-5, atol=1e-6)


def test_the_default_scale_is_that_of_the_score_with_parameters(lab, qkv):
    (w,) = lab.normal(2, (H, K, K))
    arguments = dict(score=attention.general, parameters={"w": w})
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


def cells():
    """Implementation, dtype and kind of mask of everything that an implementation computes.

    XLA has no products of float16 summed in float32 on a CPU.
    """
    return [(name, dtype, mask) for name, entry in attention.IMPLEMENTATIONS.items()
            for dtype in entry.dtypes or ("float32", "bfloat16") if dtype != "float16"
            for mask in entry.masks or ("all", "padding", "window", "random")]


@pytest.mark.parametrize("implementation, dtype, mask", cells())
def test_implementations_agree_with_attend_in_value_and_gradient(
        lab, qkv, on_its_device, implementation, dtype, mask):
    q, k, v, g = (x.astype(dtype) for x in (*qkv, *lab.normal(3, (B, H, T, V))))
    mask = lab.masks_of(T, S)[mask]
    full = True if mask is None else attention.Mask.as_array(masks.as_mask(mask), T, S)
    full = np.broadcast_to(full[:, None] if np.ndim(full) == 3 else full, (B, H, T, S))
    attend = jax.vmap(jax.vmap(lambda q, k, v, m: attention.attend(q, k, v, m)[0]))
    on_its_device(implementation)
    lifted = functools.partial(attention.multi_head, mask=mask, implementation=implementation)
    expected = pulled(lambda *x: attend(*x, full), q, k, v, g)
    found = pulled(lifted, q, k, v, g)
    tolerance = dict(rtol=1e-4, atol=1e-5) if dtype == "float32" else dict(rtol=3e-2, atol=3e-2)
    empty, unseen = ~full.any(axis=-1), ~full.any(axis=-2)
    for a, b, zeros in zip(found, expected, (empty, empty, unseen, unseen), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(*(np.asarray(x, np.float32) for x in (a, b)), **tolerance)
        assert not np.asarray(a, np.float32)[zeros].any()  # exactly 0, not nearly


@pytest.mark.parametrize("implementation", [
    name for name, entry in attention.IMPLEMENTATIONS.items() if entry.twice])
def test_implementations_agree_on_integers_and_on_second_and_forward_derivatives(lab, implementation):
    q, k, v = (np.random.default_rng(i).integers(-2, 3, (B, H, n, size))
               for i, (n, size) in enumerate([(T, K), (S, K), (S, V)]))
    run = functools.partial(attention.multi_head, mask=attention.window(T, 2), scale=0.2)
    floats = [jnp.asarray(x, jnp.float32) for x in (q, k, v)]
    whole = run(q, k, v, implementation=implementation)
    assert whole.dtype == jnp.float32
    np.testing.assert_allclose(whole, run(*floats), rtol=1e-5, atol=1e-6)

    @functools.partial(jax.jit, static_argnums=0)
    def second(implementation, *x):
        gradient = jax.grad(lambda *x: jnp.sin(run(*x, implementation=implementation)).sum(), (0, 1, 2))
        return jax.jvp(gradient, x, tuple(y[::-1] for y in x))
    chex.assert_trees_all_close(second(implementation, *floats), second("reference", *floats),
                                rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("implementation", attention.IMPLEMENTATIONS)
def test_a_traced_scale_is_a_number_in_the_program(qkv, on_its_device, counted, implementation):
    entry = on_its_device(implementation)
    half = bool(entry.dtypes) and "float32" not in entry.dtypes
    arrays = [x.astype(entry.dtypes[0]) if half else x for x in qkv]

    @counted
    def traced(scale, name):
        return jax.value_and_grad(lambda scale: (attention.multi_head(
            *arrays, scale=scale, implementation=name).astype(jnp.float32) ** 2).sum())(scale)
    gradient = jax.jit(traced, static_argnums=1)
    value, slope = gradient(0.3, implementation)
    up, down = (gradient(0.3 + step, "reference" if half else implementation)[0] for step in (1e-2, -1e-2))
    np.testing.assert_allclose(slope, (up - down) / 2e-2, rtol=0.05 if half else 0.01)
    assert traced.count == 1 + half


@pytest.mark.parametrize("arguments, words", [
    (dict(implementation="flash"), "allowed are auto, reference, blockwise, xla"),
    (dict(implementation="xla", score=attention.cosine), "score is cosine; implementation 'xla' allows dot"),
    (dict(implementation="xla", return_weights=True), "allowed are reference"),
    (dict(implementation="splash"), "implementation 'splash' runs on TPUs alone; the device here is cpu"),
    (dict(implementation="cudnn"), "implementation 'cudnn' runs on NVIDIA GPUs of compute capability 8.0 or"),
    (dict(mask=np.ones((S, T), bool)), "(2, 3, 5, 7)"),
    (dict(mask=np.ones((B, T, S))), "allowed is bool"),
    (dict(scale=jnp.ones(H + 1)), "scale has shape (4,)"),
    (dict(soft_cap=jnp.ones(H + 1)), "soft_cap has shape (4,); allowed are () and (H,) = (3,)"),
    (dict(readouts=["mass"], pairs=np.ones((T, S), int)), "pairs has dtype int"),
    (dict(readouts=["mass"], pairs=np.ones(S, bool)), "pairs has shape (7,); allowed are (T, S)"),
    (dict(mask=attention.causal(T + 1)), "mask has axes (1, 1, 6); allowed is (2, 3, 5)"),
    (dict(scale="inverse_sqrt"), "scale is 'inverse_sqrt'; allowed are numbers"),
    (dict(bias=np.ones((T, S), bool)), "bias has dtype bool; allowed are floating-point numbers"),
    (dict(bias=1j * np.ones((T, S))), "bias has dtype complex64; allowed are"),
    (dict(score="dot"), "score is 'dot'; allowed are functions of queries and keys"),
    (dict(dropout=0.1), "dropout is a float; allowed is a Dropout, as attention.dropout makes it"),
    (dict(counterfactual="uniform"), "counterfactual is a str; allowed is a Counterfactual"),
    (dict(score=attention.general, parameters={"w": jnp.ones((H + 1, K, K))}),
     "parameters['w'] has shape (4, 11, 11)"),
])
def test_what_can_not_be_done_is_refused(qkv, arguments, words):
    with pytest.raises(ValueError) as error:
        attention.multi_head(*qkv, **arguments)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_what_a_kernel_can_not_do_is_refused(qkv, on_its_device):
    on_its_device("cudnn")
    halves = [x.astype(jnp.bfloat16) for x in qkv]
    for arrays, mask, words in (
            (qkv, None, "q is float32; implementation 'cudnn' allows bfloat16, float16"),
            (halves, attention.window(T, 1), "kind 'other'; implementation 'cudnn' allows all, causal")):
        with pytest.raises(ValueError, match=words):
            attention.multi_head(*arrays, mask, implementation="cudnn")


def test_shapes_that_do_not_fit_are_refused(qkv):
    q, k, v = qkv
    for arguments in ((q[0], k, v), (q[:1], k, v), (q, k[:, :2], v), (q, k[..., :3], v),
                      (q, k, v[:, :, :4]), (q, k[:, :0], v[:, :0]), (q[:, :0], k[:, :0], v[:, :0])):
        with pytest.raises(ValueError, match="q, k and v have shapes|q and k have shapes"):
            attention.multi_head(*arguments)


def test_an_unknown_implementation_is_named():
    call = attention.Call(2, 3, "float32", None, attention.dot, ())
    with pytest.raises(ValueError, match="implementation is 'nope'; allowed are auto, reference"):
        attention.why_not("nope", call)


@pytest.mark.parametrize("implementation", ["reference", "blockwise", "xla"])
@pytest.mark.parametrize("mask", [None, attention.causal(16), attention.window(16, 1)],
                         ids=["none", "causal", "window"])
def test_with_float64_enabled_weights_and_read_outs_are_float32_too(monkeypatch, implementation, mask):
    monkeypatch.setattr(blockwise, "BLOCK", 2)
    options = {} if implementation == "xla" else {
        "readouts": tuple(name for name in attention.READOUTS if name != "mass"), "soft_cap": 9.0}
    with jax.enable_x64(True):
        q = jnp.asarray(np.ones((1, 2, 16, 4)))
        assert q.dtype == jnp.float64

        def run(q, scale):
            return attention.multi_head(q, q, q, mask, scale, implementation=implementation, **options)
        context, *rest = jax.tree.leaves(jax.eval_shape(run, q, jnp.float64(0.5)))
        slope = jax.eval_shape(jax.grad(
            lambda q: sum(x.sum() for x in jax.tree.leaves(run(q, q[0, 0, 0, 0])))), q)
    assert context.dtype == slope.dtype == jnp.float64 and all(x.dtype == jnp.float32 for x in rest)
