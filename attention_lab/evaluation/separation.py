"""How far apart vectors of one word lie by its sense, and how they look in a plane."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Separation(NamedTuple):
    """Fields: silhouette, mean over the groups; null, the same of permuted labels; groups, how many of them
    have two labels of two vectors or more; left_out, how many do not."""

    silhouette: float
    null: float
    groups: int
    left_out: int


def separation(vectors: np.ndarray, labels: Sequence[str], groups: Sequence[str], permutations: int,
               seed: int = 0) -> Separation:
    """The silhouette of labels (Rousseeuw 1987) inside each group, beside that of permuted labels.

    From -1 to 1; 0 where vectors of two labels are mixed or the same. Labels of one vector are left out of
    their group. Permuting keeps how often each label is there.

    Args:
      vectors: (N, D). labels: senses, (N,). groups: such as the form of the word, (N,).
      permutations: of each group's labels, at least 1.
    Raises:
      ValueError: no group has two labels of two vectors or more.
    """
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_score
    rng = np.random.default_rng(seed)
    labels, groups = np.asarray(labels, object), np.asarray(groups, object)
    names, found = sorted(set(groups)), []
    for name in names:
        own = [np.flatnonzero((groups == name) & (labels == label))
               for label in sorted(set(labels[groups == name]))]
        own = [members for members in own if len(members) > 1]
        if len(own) < 2:
            continue
        # scipy's distance of equal vectors is 0; scikit-learn's is what rounding leaves of it.
        distances = squareform(pdist(vectors[np.concatenate(own)].astype(np.float64)))
        numbers = np.repeat(np.arange(len(own)), [len(members) for members in own])
        permuted = [silhouette_score(distances, rng.permutation(numbers), metric="precomputed")
                    for _ in range(permutations)]
        found.append((silhouette_score(distances, numbers, metric="precomputed"), np.mean(permuted)))
    if not found:
        raise ValueError(f"none of {len(names)} groups has two labels of two vectors or more")
    silhouette, null = np.mean(found, axis=0)
    return Separation(float(silhouette), float(null), len(found), len(names) - len(found))


def plane(vectors: np.ndarray) -> np.ndarray:
    """The first two principal components (N, 2) of vectors (N, D), D at least 2.

    The largest entry of each axis is positive, so that equal vectors give equal pictures.
    """
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return centred @ (axes * np.sign(largest)).T
