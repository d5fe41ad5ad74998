"""The formula itself, with its weights replaced where there is a counterfactual."""

from attention_lab.attention.counterfactual import replaced
from attention_lab.attention.formula import mean, weights
from attention_lab.attention.masks import within


def attention(q, k, v, mask, scale, score, counterfactual):
    """What `attend` gives, or the mean of the values under counterfactual weights, and these."""
    w = weights(q, k, mask, scale, score)
    if counterfactual is not None:
        w = replaced(w, None if mask is None else within(mask, *w.shape), counterfactual)
    return mean(w, v, mask), w
