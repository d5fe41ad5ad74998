"""K-fold recall: each place is asked for once, k at a query, and the answers are its values in order."""

import itertools

import numpy as np
import pytest

from attention_lab.data.synthetic import kfold

P, SIZE = 6, 46  # 21 values 4..24, 21 names of sets 25..45


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_a_query_names_k_places_and_the_answers_are_their_values(k):
    drawn = kfold.sequences(50, P, k, SIZE, seed=3, split="train")
    sets = list(itertools.combinations(range(P), k))
    assert drawn.source.shape == drawn.target.shape == (50, 2 * P)
    named = {}
    for source, target in zip(drawn.source.tolist(), drawn.target.tolist()):
        values, queries, asked = source[:P], source[P::k], []
        assert all(4 <= value < 25 for value in values) and not any(target[:P])
        assert len(queries) == P // k and all(25 <= query < 46 for query in queries)
        assert [token for i, token in enumerate(source[P:]) if i % k] == [0] * (P - P // k)
        for i, query in enumerate(queries):
            answers = target[P + i * k:P + (i + 1) * k]
            fitting = {places for places in sets if [values[place] for place in places] == answers}
            named[query] = named.get(query, fitting) & fitting  # what a set's token means in all sequences
            asked.append(query)
        assert len(set(asked)) == len(asked)
    assert all(len(meanings) == 1 for meanings in named.values())
    assert len({meaning for meanings in named.values() for meaning in meanings}) == len(named) <= len(sets)


def test_each_set_of_places_has_a_number():
    for k in range(1, 6):
        sets = np.array(list(itertools.combinations(range(7), k)))
        assert sorted(kfold.rank(sets, 7).tolist()) == list(range(len(sets)))


def test_each_place_is_asked_for_once():
    drawn = kfold.sequences(40, P, 2, SIZE, 0, "dev")
    pairs = {int(number): places for places in itertools.combinations(range(P), 2)
             for number in [kfold.rank(np.array(places), P)]}
    for source in drawn.source:
        assert sorted(itertools.chain(*(pairs[query - 25] for query in source[P::2].tolist()))) == [*range(P)]


def test_splits_and_seeds_are_apart_and_repeat():
    one = kfold.sequences(20, P, 2, SIZE, 0, "train").source
    np.testing.assert_array_equal(one, kfold.sequences(20, P, 2, SIZE, 0, "train").source)
    for seed, split in ((0, "dev"), (0, "test"), (1, "train")):
        assert (one != kfold.sequences(20, P, 2, SIZE, seed, split).source).any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="^data.fold=4 does not divide data.pairs=6$"):
        kfold.sequences(1, P, 4, SIZE, 0, "train")
    with pytest.raises(ValueError, match="size=43 has ids for 19 sets of places: data.fold=3 of data.pairs=6 "
                                         "needs at least 44"):
        kfold.sequences(1, P, 3, 43, 0, "train")
