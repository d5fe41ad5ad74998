"""Linear attention: by products of matrices and as a recurrence it is the formula under its score."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import attention
from attention_lab.attention import linear_attention

T, S, K, V = 5, 7, 3, 2
FORMS = {"parallel": linear_attention.parallel, "recurrent": linear_attention.recurrent}
SOME = np.array([False, True, True, False, True, True, False])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks, the last of them not full."""
    monkeypatch.setattr(linear_attention, "BLOCK", 3)


def mask_of(T, S, allowed, causal):
    """The mask of the formula, bool (T, S)."""
    mask = np.ones((T, S), bool) if allowed is None else np.tile(allowed, (T, 1))
    return jnp.asarray(np.tril(mask) if causal else mask)


@pytest.mark.parametrize("form", FORMS)
def test_a_case_by_hand(form):
    """phi(0) = 1, phi(1) = 2, phi(log 0.5) = 0.5: weights of the last row are 2, 4 and 1 sevenths."""
    q, k, v = jnp.array([[0.], [0.], [1.]]), jnp.array([[0.], [1.], [np.log(0.5)]]), jnp.eye(3)
    found = FORMS[form](q, k, v, causal=True)
    np.testing.assert_allclose(found, [[1, 0, 0], [1 / 3, 2 / 3, 0], [2 / 7, 4 / 7, 1 / 7]], rtol=1e-6)


@pytest.mark.parametrize("allowed", [None, SOME, np.zeros(S, bool)], ids=["all", "some", "none"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_formula_in_value_and_gradient(lab, form, causal, allowed):
    rows = S if causal else T
    q, k, v, g = lab.normal(0, (rows, K), (S, K), (S, V), (rows, V))
    mask = mask_of(rows, S, allowed, causal)

    def gradients(function):
        context, pull = jax.vjp(function, q, k, v)
        return context, *pull(g)

    ours = jax.jit(lambda: gradients(lambda q, k, v: FORMS[form](q, k, v, allowed, causal)))()
    wanted = gradients(lambda q, k, v: attention.attend(q, k, v, mask, score=attention.linear)[0])
    for a, b in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    empty = ~np.asarray(mask).any(axis=1)
    assert not np.asarray(ours[0])[empty].any() and not np.asarray(ours[1])[empty].any()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_what_nobody_may_attend_to_changes_no_bit(lab, form, causal):
    q, k, v = lab.normal(1, (S, K), (S, K), (S, V))

    @jax.jit
    def derivatives(q, k, v):
        return jax.value_and_grad(lambda *x: (FORMS[form](*x, SOME, causal) ** 2).sum(), (0, 1, 2))(q, k, v)

    clean = derivatives(q, k, v)
    spoilt = derivatives(q, k.at[3].set(jnp.nan).at[0].set(jnp.inf), v.at[6].set(jnp.nan))
    chex.assert_tree_all_finite(clean)
    chex.assert_trees_all_equal(clean, spoilt)


def test_a_step_at_a_time_is_the_whole(lab):
    q, k, v = lab.normal(2, (S, K), (S, K), (S, V))
    state, steps = linear_attention.start(K, V), []
    for x in zip(q, k, v):
        state, context = jax.jit(linear_attention.step)(state, *x)
        steps.append(context)
    np.testing.assert_allclose(steps, linear_attention.parallel(q, k, v, causal=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("allowed", [None, SOME])
def test_steps_go_on_after_what_was_read_at_once(lab, allowed):
    q, k, v = lab.normal(3, (S + 2, K), (S + 2, K), (S + 2, V))
    state = linear_attention.after(k[:S], v[:S], allowed)
    whole = linear_attention.parallel(q, k, v, None if allowed is None else np.append(allowed, [True, True]),
                                      causal=True)
    for t in (S, S + 1):
        state, context = linear_attention.step(state, q[t], k[t], v[t])
        np.testing.assert_allclose(context, whole[t], rtol=1e-5, atol=1e-6)


def test_many_heads_by_the_lift_are_the_score_in_multi_head(lab):
    q, k, v = lab.normal(3, (2, 3, S, K), (2, 3, S, K), (2, 3, S, V))
    each = jax.vmap(jax.vmap(lambda *x: linear_attention.parallel(*x, causal=True)))(q, k, v)
    whole = attention.multi_head(q, k, v, attention.causal(S), score=attention.linear)
    np.testing.assert_allclose(each, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shapes, more, words", [
    (((T, K), (S, K), (S, V)), {"causal": True}, "where T is S if causal"),
    (((T, K), (S, 2), (S, V)), {"causal": False}, "q, k and v have shapes"),
    (((S, K), (S, K), (S, V)), {"allowed": np.ones(T, bool)}, r"allowed has shape \(5,\)"),
])
def test_what_does_not_fit_is_refused(shapes, more, words):
    with pytest.raises(ValueError, match=words):
        linear_attention.parallel(*map(jnp.ones, shapes), **more)
