"""Attention: pure functions of one head and one sentence.

Attention is a dictionary look-up that can be differentiated. A dictionary returns the one value
whose key equals the query. Here every key answers: the score (compatibility) of query and key says how well
they match, a softmax turns the scores into weights that sum to 1, and the answer is the mean of the
values under these weights. Sharp weights are a look-up, flat ones an average, and since the answer
moves smoothly with queries, keys and values, all three can be learned.

    q (T, K)  k (S, K)  ->  logits (T, S) = scale * score(q, k)
                        ->  weights (T, S) = softmax over S of the logits that the mask allows
    weights   v (S, V)  ->  context (T, V) = weights @ v

The axes, here and everywhere: B sentences, H heads, T target positions, S source positions, K key
size, V value size, D model width, N vocabulary, L layers.

    attend, weights                      the formula, one head, one sentence
    multi_head                           lifted over heads and sentences, by any of IMPLEMENTATIONS
    dot, general, additive, cosine, linear    scores; SCORES has their parameters and default scales
    linear_attention                     the score `linear` without weights: in parallel, and as a recurrence
    causal, padding, window, documents   masks, of the type Mask; `&` joins them
    READOUTS                             statistics of weights that need no (T, S); an argument of multi_head
    dropout, Dropout                     dropout of weights; an argument of multi_head
    entropy                              how spread out weights are
    counterfactual, Counterfactual       weights to use instead of the model's: given, uniform, permuted,
                                         without the largest; an argument of multi_head
"""

from attention_lab.attention import counterfactual, linear_attention
from attention_lab.attention.choice import Call, able, chosen, needs, why_not
from attention_lab.attention.counterfactual import Counterfactual
from attention_lab.attention.dropout import Dropout, dropout
from attention_lab.attention.entropy import entropy
from attention_lab.attention.formula import attend, weights
from attention_lab.attention.heads import multi_head
from attention_lab.attention.implementations import IMPLEMENTATIONS
from attention_lab.attention.masks import Mask, causal, documents, padding, window
from attention_lab.attention.readouts import READOUTS
from attention_lab.attention.scores import SCORES, additive, cosine, dot, general, linear

__all__ = ["IMPLEMENTATIONS", "READOUTS", "SCORES", "Call", "Counterfactual", "Dropout", "Mask", "able",
           "additive", "attend", "causal", "chosen", "cosine", "counterfactual", "documents", "dot",
           "dropout", "entropy", "general", "linear", "linear_attention", "multi_head", "needs", "padding",
           "weights", "why_not", "window"]
