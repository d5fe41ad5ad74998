"""Silhouettes by hand, groups left out, permuted labels, and the plane of largest variance."""

import numpy as np
import pytest

from attention_lab.evaluation.separation import plane, separation

LINE = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 4.0], [0.0, 5.0]], np.float32)


def test_silhouette_by_hand():
    # Own distance 1, the other's 4.5 for the outer and 3.5 for the inner ones.
    found = separation(LINE, list("aabb"), ["bank"] * 4, 200)
    assert found.silhouette == pytest.approx(((1 - 1 / 4.5) + (1 - 1 / 3.5)) / 2)
    # A third of the ways to permute leave the labels, two thirds put each beside the other.
    mixed = np.mean([[(b - a) / max(a, b) for a, b in pairs] for pairs in (
        [(4, 3), (4, 2), (4, 2), (4, 3)], [(5, 2.5), (3, 2.5), (3, 2.5), (5, 2.5)])])
    assert found.null == pytest.approx((found.silhouette + 2 * mixed) / 3, abs=0.15)
    assert (found.groups, found.left_out) == (1, 0)


def test_groups_are_apart_and_what_cannot_be_scored_is_counted():
    vectors = np.concatenate([LINE, LINE + 7.0, LINE[:3]])
    labels = list("aabb") + list("abab") + list("aab")
    found = separation(vectors, labels, ["bank"] * 4 + ["bat"] * 4 + ["key"] * 3, 3)
    alone = [separation(LINE, list(side), ["any"] * 4, 3).silhouette for side in ("aabb", "abab")]
    assert found.silhouette == pytest.approx(np.mean(alone))
    assert (found.groups, found.left_out) == (2, 1)
    with pytest.raises(ValueError, match="none of 1 groups"):
        separation(LINE, list("aaab"), ["bank"] * 4, 3)


def test_equal_vectors_have_a_silhouette_of_0():
    vectors = np.full((6, 5), 0.1, np.float32)
    found = separation(vectors, list("aaabbb"), ["bank"] * 6, 3)
    assert found.silhouette == found.null == 0.0


def test_plane_keeps_the_distances_of_what_lies_in_one():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(7, 2)) * [3.0, 1.0] @ np.linalg.qr(rng.normal(size=(5, 2)))[0].T + 2.0
    points = plane(flat)
    assert points.shape == (7, 2) and points[:, 0].var() > points[:, 1].var()
    assert np.linalg.norm(np.diff(points, axis=0), axis=1) == pytest.approx(
        np.linalg.norm(np.diff(flat, axis=0), axis=1))
    assert plane(flat[::-1])[::-1] == pytest.approx(points)
