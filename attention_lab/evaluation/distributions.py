"""How far apart two distributions are; natural logarithms, over the last axis."""

import numpy as np

from attention_lab.storage.later import Later

special = Later("scipy.special")

TINY = float(np.finfo(np.float32).tiny)


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Half the sum of |p - q|, from 0 to 1; (..., N), (..., N) -> (...).

    >>> float(total_variation(np.array([1.0, 0.0]), np.array([0.5, 0.5])))
    0.5
    """
    return 0.5 * np.abs(np.asarray(p, np.float64) - np.asarray(q, np.float64)).sum(axis=-1)


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence KL(p || q) in nats; a q of 0 counts as the smallest float32.

    >>> round(float(divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5]))), 4)
    0.6931
    """
    return special.rel_entr(np.asarray(p, np.float64), np.maximum(q, TINY)).sum(axis=-1)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in nats, from 0 to log 2 = 0.693 (Lin 1991).

    >>> round(float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))), 4)
    0.6931
    """
    middle = 0.5 * (np.asarray(p, np.float64) + np.asarray(q, np.float64))
    return 0.5 * (divergence(p, middle) + divergence(q, middle))
