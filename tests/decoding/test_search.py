"""How both searches run: what follows the hypotheses, when they stop, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.decoding.toys import (
    BOS,
    EOS,
    PAD,
    beam_search,
    greedy_search,
    greedy_tables,
    history_model,
    random_tables,
    search_tables,
    table_model,
)


def test_cached_equals_uncached():
    results = []
    for cached in (True, False):
        start, step = history_model(3, 17, 13, 9, cached)
        results.append(jax.jit(lambda: beam_search(start, step, 17, 4, 9, 1.0))())
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5)
    # The hypotheses of a sentence must have crossed for this to test that the cache follows them.
    assert len({tuple(row[:2]) for row in np.asarray(results[0][0][:, 1])}) > 5


def test_only_what_a_step_changes_follows_the_hypotheses():
    def program(touch):
        def start():
            return {"memory": jnp.ones((2, 53)), "position": jnp.zeros(2, jnp.int32)}

        def step(carry, token):
            memory = carry["memory"] + 1 if touch else carry["memory"]
            return memory[:, :7], {"memory": memory, "position": carry["position"] + 1}

        return str(jax.make_jaxpr(lambda: beam_search(start, step, 2, 3, 4, 1.0))())

    def gathers(text):
        return [line for line in text.splitlines() if "f32[6,53] = gather" in line]

    assert len(gathers(program(touch=True))) == 1
    assert not gathers(program(touch=False))


def test_sentences_do_not_influence_each_other_nor_does_stopping_early():
    tables = random_tables(7, 19, 11, 8)
    tables[3, :, :, EOS] = 30.0  # ends at once
    tables[4, :, :, EOS] = -30.0  # never ends, so the loop runs on for all
    together = search_tables(tables, 0.7, 3, 8)
    for sentence in (0, 3, 4, 11, 18):
        alone = search_tables(tables[sentence:sentence + 1], 0.7, 3, 8)
        np.testing.assert_array_equal(together[0][sentence], alone[0][0])
        np.testing.assert_array_equal(together[1][sentence], alone[1][0])
    greedy = greedy_tables(tables, 8)
    alone = greedy_tables(tables[3:4], 8)
    np.testing.assert_array_equal(greedy[0][3], alone[0][0])
    np.testing.assert_array_equal(greedy[1][3], alone[1][0])


@pytest.mark.parametrize("search", ["greedy", "beam"])
def test_the_loop_ends_when_all_sentences_have(search):
    calls = []
    active = jnp.array([True, True, False])  # the last row never ends, but only fills the batch

    def start():
        return jnp.zeros(3, jnp.int32)

    def step(carry, token):
        jax.debug.callback(lambda position: calls.append(int(position)), carry[0])
        best = jnp.where((carry < 2) | (jnp.arange(3) == 2), 4, EOS)
        logits = jnp.where(jnp.arange(5)[None] == best[:, None], 50.0, 0.0)
        return logits, carry + 1

    if search == "greedy":
        tokens, _ = jax.jit(lambda: greedy_search(start, step, 3, 20, active=active))()
    else:
        tokens, _ = jax.jit(
            lambda: beam_search(start, step, 3, 1, 20, 1.0, active=active))()
        tokens = tokens[:, 0]
    jax.effects_barrier()
    assert np.asarray(tokens)[:, :4].tolist() == [[4, 4, EOS, PAD]] * 2 + [[PAD] * 4]
    assert calls == [0, 1, 2]


def test_all_end_at_once():
    tables = np.zeros((2, 5, 6, 6), np.float32)
    tables[:, :, :, EOS] = 40.0
    tokens, scores = search_tables(tables, 1.0, 3, 5)
    assert np.asarray(tokens[:, 0]).tolist() == [[EOS, PAD, PAD, PAD, PAD]] * 2
    np.testing.assert_allclose(scores[:, 0], 0.0, atol=1e-6)
    assert np.asarray(tokens[1]).tolist() == [
        [EOS, 0, 0, 0, 0], [1, EOS, 0, 0, 0], [4, EOS, 0, 0, 0]]


def test_without_an_end_the_hypotheses_are_cut_at_max_length():
    tables = random_tables(13, 5, 7, 4)
    tables[:, :, :, EOS] = -np.inf
    tokens, scores = search_tables(tables, 1.0, 3, 4)
    assert np.all(np.isin(tokens, [1, 4, 5, 6])) and np.all(np.isfinite(scores))
    tokens, log_p = greedy_tables(tables, 4)
    assert np.all(np.isin(tokens, [1, 4, 5, 6])) and np.all(np.isfinite(log_p))


def test_pad_and_bos_are_never_written_and_keep_their_probability():
    tables = np.zeros((1, 2, 5, 5), np.float32)
    tables[..., [PAD, BOS]] = 9.0
    tables[..., EOS] = 1.0
    tokens, scores = search_tables(tables, 0.0, 4, 2)
    assert not np.any(np.isin(tokens, BOS)) and np.asarray(tokens[0, 0]).tolist() == [EOS, PAD]
    np.testing.assert_allclose(scores[0, 0], 1 - np.log(2 * np.exp(9) + 2 + np.exp(1)), rtol=1e-6)
    np.testing.assert_allclose(greedy_tables(tables, 2)[1], scores[:, 0], rtol=1e-6)


def test_logits_that_are_no_numbers_end_their_sentence_alone():
    tables = random_tables(17, 3, 7, 4)
    clean = search_tables(tables, 1.0, 2, 4), greedy_tables(tables, 4)
    tables[1] = np.nan
    tokens, scores = search_tables(tables, 1.0, 2, 4)
    greedy, log_p = greedy_tables(tables, 4)
    assert not np.any(tokens[1]) and np.all(scores[1] == -np.inf)
    assert not np.any(greedy[1]) and log_p[1] == -np.inf
    for sentence in (0, 2):
        np.testing.assert_array_equal(tokens[sentence], clean[0][0][sentence])
        np.testing.assert_array_equal(greedy[sentence], clean[1][0][sentence])


@pytest.mark.parametrize("change, message", [
    (dict(beam=0), "beam=0"), (dict(max_length=0), "max_length=0"),
    (dict(batch_size=0), "batch_size=0"), (dict(length_penalty=-0.5), "length_penalty=-0.5"),
    (dict(eos=2), "eos=2"), (dict(batch_size=3), "batch_size=3"),
])
def test_arguments_that_cannot_be_used_are_refused(change, message):
    start, step = table_model(np.zeros((2, 3, 5, 5), np.float32))
    arguments = dict(batch_size=2, beam=2, max_length=3, length_penalty=1.0) | change
    with pytest.raises(ValueError, match=message):
        beam_search(start, step, **arguments)
