"""Both searches on toy models whose every hypothesis can be enumerated."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import decoding

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
beam_search, greedy_search = (functools.partial(search, bos=BOS, eos=EOS, pad=PAD)
                              for search in (decoding.beam_search, decoding.greedy_search))


def random_tables(seed, batch_size, vocabulary, length, sharpness=2.0):
    """Logits (B, length, N, N) of the next token by sentence, position and last token."""
    generator = np.random.default_rng(seed)
    shape = (batch_size, length, vocabulary, vocabulary)
    return (sharpness * generator.normal(size=shape)).astype(np.float32)


def table_model(tables):
    """A model whose carry is its table, handed on untouched, and its position."""

    def start():
        return {"table": jnp.asarray(tables), "position": jnp.zeros(len(tables), jnp.int32)}

    def step(carry, token):
        rows = jnp.arange(token.shape[0])
        logits = carry["table"][rows, carry["position"], token]
        return logits, {"table": carry["table"], "position": carry["position"] + 1}

    return start, step


def history_model(seed, batch_size, vocabulary, max_length, cached):
    """Logits depend on every token so far: by a cached sum, or anew from the whole history."""
    generator = np.random.default_rng(seed)
    vectors = jnp.asarray(generator.normal(size=(max_length, vocabulary, 7)), jnp.float32)
    readout = jnp.asarray(generator.normal(size=(7, vocabulary)), jnp.float32)
    sources = jnp.asarray(generator.normal(size=(batch_size, 7)), jnp.float32)

    def start():
        position = jnp.zeros(batch_size, jnp.int32)
        if cached:
            return sources, position, jnp.zeros((batch_size, 7))
        return sources, position, jnp.zeros((batch_size, max_length), jnp.int32)

    def step(carry, token):
        source, position, memory = carry
        rows = jnp.arange(token.shape[0])
        if cached:
            memory = memory + vectors[position, token]
            state = memory
        else:
            memory = memory.at[rows, position].set(token)
            written = jnp.arange(max_length)[None] <= position[:, None]
            each = vectors[jnp.arange(max_length)[None], memory]
            state = jnp.sum(jnp.where(written[:, :, None], each, 0.0), axis=1)
        return jnp.tanh(state + source) @ readout, (source, position + 1, memory)

    return start, step


def enumerate_all(table, max_length, length_penalty):
    """All hypotheses of a sentence as (cut, score, tokens): finished ones, then cut."""
    table = table.astype(np.float64)
    log_p = table - np.log(np.sum(np.exp(table), axis=-1, keepdims=True))
    words = [token for token in range(table.shape[-1]) if token not in (PAD, BOS, EOS)]
    found = []
    for length in range(1, max_length + 1):
        for prefix in itertools.product(words, repeat=length - 1):
            ends = [EOS] if length < max_length else [EOS, *words]
            for end in ends:
                tokens = (*prefix, end)
                total = sum(log_p[i, last, token] for i, (last, token)
                            in enumerate(zip((BOS, *prefix), tokens)))
                found.append((end != EOS, total / length ** length_penalty, tokens))
    return sorted(found, key=lambda hypothesis: (hypothesis[0], -hypothesis[1]))


@functools.partial(jax.jit, static_argnames=("beam", "max_length"))
def search_tables(tables, length_penalty, beam, max_length):
    start, step = table_model(tables)
    return beam_search(start, step, tables.shape[0], beam, max_length, length_penalty)


@functools.partial(jax.jit, static_argnames=("max_length",))
def greedy_tables(tables, max_length):
    start, step = table_model(tables)
    return greedy_search(start, step, tables.shape[0], max_length)


def padded(tokens, max_length):
    return [*tokens, *[PAD] * (max_length - len(tokens))]


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.5])
def test_a_beam_as_large_as_the_space_is_brute_force(length_penalty):
    vocabulary, max_length = 6, 3  # 3 words: 1 + 3 + 9 finished, 27 cut
    tables = random_tables(11, 13, vocabulary, max_length)
    beam = vocabulary ** max_length
    tokens, scores = search_tables(tables, length_penalty, beam, max_length)
    for sentence in range(len(tables)):
        expected = enumerate_all(tables[sentence], max_length, length_penalty)
        assert len(expected) == 1 + 3 + 9 + 27
        np.testing.assert_allclose(scores[sentence, :40], [s for _, s, _ in expected], rtol=2e-5)
        assert (np.asarray(tokens[sentence, :40]).tolist()
                == [padded(t, max_length) for _, _, t in expected])
        assert np.all(np.asarray(scores[sentence, 40:]) == -np.inf)
        assert not np.any(tokens[sentence, 40:])


def test_a_beam_as_wide_as_the_extensions_is_brute_force():
    # 2 words and 4 positions: at most 8 live hypotheses with 24 extensions, and 15 that finish.
    tables = random_tables(5, 31, 5, 4)
    tokens, scores = search_tables(tables, 1.0, 24, 4)
    for sentence in range(len(tables)):
        expected = enumerate_all(tables[sentence], 4, 1.0)[:24]
        np.testing.assert_allclose(scores[sentence], [s for _, s, _ in expected], rtol=2e-5)
        assert (np.asarray(tokens[sentence]).tolist() == [padded(t, 4) for _, _, t in expected])


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 3.0])
def test_a_beam_of_one_is_greedy(length_penalty):
    tables = random_tables(2, 101, 11, 7)
    tokens, scores = search_tables(tables, length_penalty, 1, 7)
    greedy, log_p = greedy_tables(tables, 7)
    np.testing.assert_array_equal(tokens[:, 0], greedy)
    lengths = np.sum(np.asarray(greedy) != PAD, axis=1)
    assert 1 < np.mean(lengths) < 7 and np.any(lengths == 7)
    np.testing.assert_allclose(scores[:, 0], log_p / lengths ** length_penalty, rtol=1e-6)


def test_greedy_takes_the_likeliest_token_and_the_smaller_id_on_a_tie():
    tables = np.zeros((1, 3, 6, 6), np.float32)
    tables[0, 0, BOS, [4, 5]] = np.log(3.0)
    tables[0, 1, 4, 5] = np.log(5.0)
    tables[0, 2, 5, EOS] = np.log(4.0)
    tokens, log_p = greedy_tables(tables, 3)
    assert np.asarray(tokens).tolist() == [[4, 5, EOS]]
    np.testing.assert_allclose(log_p, np.log(3 / 10 * 5 / 10 * 4 / 9), rtol=1e-6)


def test_ties_are_broken_the_same_way_by_hypothesis_then_id():
    tokens, scores = search_tables(np.zeros((1, 2, 7, 7), np.float32), 0.0, 3, 2)
    assert np.asarray(tokens).tolist() == [[[EOS, PAD], [1, EOS], [1, 1]]]
    np.testing.assert_allclose(scores, -np.log([[7.0, 49.0, 49.0]]), rtol=1e-6)


def test_a_cut_hypothesis_follows_the_finished_ones_even_where_its_score_is_better():
    tables = np.full((1, 2, 5, 5), -20.0, np.float32)
    tables[0, 0, BOS, [4, EOS]] = np.log([0.6, 0.4])
    tables[0, 1, 4, [4, EOS]] = np.log([0.99, 0.01])
    tokens, scores = search_tables(tables, 1.0, 3, 2)
    assert np.asarray(tokens).tolist() == [[[EOS, PAD], [4, EOS], [4, 4]]]
    expected = [np.log(0.4), np.log(0.6 * 0.01) / 2, np.log(0.6 * 0.99) / 2]
    np.testing.assert_allclose(scores[0], expected, rtol=1e-4)


def test_an_end_below_the_beam_is_dropped():
    tables = np.full((1, 3, 6, 6), -20.0, np.float32)
    tables[0, 0, BOS, [4, 5, EOS]] = np.log([0.5, 0.3, 0.2])
    tables[0, 1, 4, [4, EOS]] = np.log([0.7, 0.3])
    tables[0, 1, 5, [5, EOS]] = np.log([0.1, 0.9])
    tables[0, 2, 4, EOS] = tables[0, 2, 5, EOS] = 0.0
    tokens, scores = search_tables(tables, 0.0, 2, 3)
    assert np.asarray(tokens).tolist() == [[[4, 4, EOS], [5, EOS, PAD]]]
    np.testing.assert_allclose(scores[0], np.log([0.35, 0.27]), rtol=1e-4)


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


def test_the_penalty_is_traced_and_changes_the_winner():
    tables = np.full((1, 3, 5, 5), -20.0, np.float32)
    tables[0, 0, BOS, [4, EOS]] = np.log([0.5, 0.5])
    tables[0, 1, 4, [4, EOS]] = np.log([0.1, 0.9])
    before = search_tables._cache_size()
    short, _ = search_tables(tables, 0.0, 2, 3)
    long, _ = search_tables(tables, 1.0, 2, 3)
    assert search_tables._cache_size() - before == 1
    assert np.asarray(short[0, 0]).tolist() == [EOS, PAD, PAD]
    assert np.asarray(long[0, 0]).tolist() == [4, EOS, PAD]


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
