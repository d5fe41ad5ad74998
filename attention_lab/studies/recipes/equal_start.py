"""The factor on the initial query projection that makes logits start equally large at any key size."""

import math

from attention_lab.config.hyper import SCALES


def query_gain(start: float, scale: float | str, key_size: int, width: int) -> float:
    """The `attention.query_gain` of one head whose logits start with the standard deviation `start`.

    Inputs of a layer have mean square 1, and a Glorot map from width to d_k weights of variance
    2 / (width + d_k): logits without scale vary by d_k (2 width / (width + d_k))^2.

    >>> query_gain(1.3, "inverse_sqrt", 64, 64)
    1.3
    """
    logits = math.sqrt(key_size) * 2.0 * width / (width + key_size)
    factor = SCALES[scale](key_size) if isinstance(scale, str) else scale
    return float(f"{start / (factor * logits):.5g}")
