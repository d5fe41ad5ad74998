"""Distances of distributions by hand, and what holds of all of them."""

import numpy as np
import pytest

from attention_lab.evaluation.distributions import TINY, divergence, jensen_shannon, total_variation

P, Q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])


def test_by_hand():
    assert total_variation(P, Q) == pytest.approx(0.5)
    assert divergence(P, Q) == pytest.approx(np.log(2))
    # The middle is (3/8, 3/8, 1/4).
    wanted = 0.5 * np.log(4 / 3) + 0.5 * (0.5 * np.log(2 / 3) + 0.5 * np.log(2))
    assert jensen_shannon(P, Q) == pytest.approx(wanted)
    assert divergence(Q, P) == pytest.approx(0.5 * np.log(0.5) + 0.5 * (np.log(0.5) - np.log(TINY)))


def test_distributions_without_a_common_place_are_as_far_apart_as_can_be():
    p, q = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5])
    assert total_variation(p, q) == 1.0 and jensen_shannon(p, q) == pytest.approx(np.log(2))


@pytest.mark.parametrize("distance", [total_variation, divergence, jensen_shannon])
def test_over_the_last_axis_and_from_zero(distance):
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), (2, 2, 3)).astype(np.float32)
    found = distance(p, q)
    assert found.shape == (2, 3) and (found > 0).all()
    np.testing.assert_allclose(found[1, 2], distance(p[1, 2], q[1, 2]))
    np.testing.assert_array_equal(distance(p, p), np.zeros((2, 3)))


def test_two_of_them_do_not_care_which_comes_first_and_are_bounded():
    p, q = np.random.default_rng(1).dirichlet(np.full(7, 0.1), (2, 100))
    np.testing.assert_allclose(jensen_shannon(p, q), jensen_shannon(q, p))
    np.testing.assert_allclose(total_variation(p, q), total_variation(q, p))
    assert jensen_shannon(p, q).max() <= np.log(2) + 1e-12 and total_variation(p, q).max() <= 1 + 1e-12
    assert np.abs(divergence(p, q) - divergence(q, p)).max() > 0.1
