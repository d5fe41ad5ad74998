"""The formula itself, with its weights replaced where there is a counterfactual."""

from attention_lab.attention.counterfactual import replaced
from attention_lab.attention.formula import attend, mean, weights
from attention_lab.attention.masks import within


def attention(q, k, v, mask, scale, score, counterfactual):
    """`attend`, or the mean of the values under counterfactual weights."""
    if counterfactual is None:
        return attend(q, k, v, mask, scale, score)
    w = weights(q, k, mask, scale, score)
    w = replaced(w, None if mask is None else within(mask, *w.shape), counterfactual)
    return mean(w, v, mask), w
