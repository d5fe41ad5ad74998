"""How far apart vectors of one word lie by its sense, and their projection onto a plane."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import silhouette_score


class Separation(NamedTuple):
    """Fields: silhouette, mean over the groups that have two labels of two vectors or more; null, the same of
    permuted labels; groups, how many these are; left_out, how many others there are."""

    silhouette: float
    null: float
    groups: int
    left_out: int


def separation(vectors: np.ndarray, labels: Sequence[str], groups: Sequence[str], permutations: int
               ) -> Separation:
    """The silhouette of labels (Rousseeuw 1987) inside each group, beside that of permuted labels.

    From -1 to 1; 0 where vectors of two labels are mixed or equal. Labels of a single vector are left out of
    their group. Permuting keeps how often each label occurs.

    Args:
      vectors: (N, D). labels: senses, (N,). groups: such as the form of the word, (N,).
      permutations: of each group's labels, at least 1.
    Raises:
      ValueError: no group has two labels of two vectors or more.
    """
    rng = np.random.default_rng(0)
    labels, groups = np.asarray(labels, object), np.asarray(groups, object)
    names, scores = sorted(set(groups)), []
    for name in names:
        members = [np.flatnonzero((groups == name) & (labels == label))
                   for label in sorted(set(labels[groups == name]))]
        members = [indices for indices in members if len(indices) > 1]
        if len(members) < 2:
            continue
        # scipy's distance of equal vectors is 0; scikit-learn's is not, by rounding.
        distances = squareform(pdist(vectors[np.concatenate(members)].astype(np.float64)))
        numbers = np.repeat(np.arange(len(members)), [len(indices) for indices in members])
        permuted = [silhouette_score(distances, rng.permutation(numbers), metric="precomputed")
                    for _ in range(permutations)]
        scores.append((silhouette_score(distances, numbers, metric="precomputed"), np.mean(permuted)))
    if not scores:
        raise ValueError(f"none of {len(names)} groups has two labels of two vectors or more")
    silhouette, null = np.mean(scores, axis=0)
    return Separation(float(silhouette), float(null), len(scores), len(names) - len(scores))


def plane(vectors: np.ndarray) -> np.ndarray:
    """The first two principal components (N, 2) of vectors (N, D), D at least 2.

    The largest entry of each axis is positive, so that the same vectors give the same figure.
    """
    centred = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return centred @ (axes * np.sign(largest)).T
