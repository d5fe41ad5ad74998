"""Which hypotheses both searches return, and in which order."""

import itertools

import jax
import numpy as np
import pytest

from tests.decoding.toys import BOS, EOS, PAD, greedy_tables, random_tables, search_tables


def enumerate_all(table, max_length, length_penalty):
    """All hypotheses of a sentence as (cut, score, tokens): finished ones, then cut."""
    table = table.astype(np.float64)
    log_p = table - np.log(np.sum(np.exp(table), axis=-1, keepdims=True))
    words = [token for token in range(table.shape[-1]) if token not in (PAD, BOS, EOS)]
    hypotheses = []
    for length in range(1, max_length + 1):
        for prefix in itertools.product(words, repeat=length - 1):
            ends = [EOS] if length < max_length else [EOS, *words]
            for end in ends:
                tokens = (*prefix, end)
                total = sum(log_p[i, last, token] for i, (last, token)
                            in enumerate(zip((BOS, *prefix), tokens)))
                hypotheses.append((end != EOS, total / length ** length_penalty, tokens))
    return sorted(hypotheses, key=lambda hypothesis: (hypothesis[0], -hypothesis[1]))


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


def test_the_penalty_is_traced_and_changes_the_winner(counted):
    tables = np.full((1, 3, 5, 5), -20.0, np.float32)
    tables[0, 0, BOS, [4, EOS]] = np.log([0.5, 0.5])
    tables[0, 1, 4, [4, EOS]] = np.log([0.1, 0.9])
    traced = counted(search_tables.__wrapped__)
    search = jax.jit(traced, static_argnums=(2, 3))
    short, _ = search(tables, 0.0, 2, 3)
    long, _ = search(tables, 1.0, 2, 3)
    assert traced.count == 1
    assert np.asarray(short[0, 0]).tolist() == [EOS, PAD, PAD]
    assert np.asarray(long[0, 0]).tolist() == [4, EOS, PAD]
