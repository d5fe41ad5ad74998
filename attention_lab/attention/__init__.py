"""Attention: pure functions of one head and one sentence.

Attention is a dictionary look-up that can be differentiated. A dictionary returns the one value
whose key equals the query. Here every key answers: the compatibility of query and key says how well
they match, a softmax turns the scores into weights that sum to 1, and the answer is the mean of the
values under these weights. Sharp weights are a look-up, flat ones an average, and since the answer
moves smoothly with queries, keys and values, all three can be learned.

    q (T, K)  k (S, K)  ->  logits (T, S) = scale * compatibility(q, k)
                        ->  weights (T, S) = softmax over S of the logits that the mask allows
    weights   v (S, V)  ->  context (T, V) = weights @ v

The axes, here and everywhere: B sentences, H heads, T target positions, S source positions, K key
size, V value size, D model width, N vocabulary, L layers.

    attend, weights                   the formula, one head, one sentence
    multi_head                        lifted over heads and sentences, with other implementations
    dot, general, additive, cosine    compatibilities
    causal, padding, window, combine  masks; True = may attend
    entropy                           how spread out weights are
    counterfactual, Counterfactual    other weights in the place of one's own: given, uniform,
                                      permuted, without the largest; an argument of multi_head
"""

from attention_lab.attention import counterfactual
from attention_lab.attention.attend import attend, weights
from attention_lab.attention.compatibility import additive, cosine, dot, general
from attention_lab.attention.counterfactual import Counterfactual
from attention_lab.attention.entropy import entropy
from attention_lab.attention.heads import multi_head
from attention_lab.attention.masks import causal, combine, padding, window

__all__ = ["Counterfactual", "additive", "attend", "causal", "combine", "cosine", "counterfactual", "dot",
           "entropy", "general", "multi_head", "padding", "weights", "window"]
