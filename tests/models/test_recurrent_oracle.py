"""Recurrent translation is what the papers say: their equations in numpy, one sentence and word at a time."""

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models
from attention_lab.data.vocabulary import BOS
from tests.models.sentences import N, batch

D, H = 11, 26
TWO, BACKWARDS, BOTH = {"num_layers": 2}, {"reverse_source": True}, {"bidirectional": True}
LUONG = {"kind": "lstm", "input_feeding": True}
CASES = {  # compatibility, and what else the model is
    "cho rnn": ("none", {"kind": "rnn"}),
    "cho gru": ("none", {"kind": "gru"}),
    "sutskever": ("none", {"kind": "lstm", **BACKWARDS, **TWO}),
    "cosine": ("cosine", {"kind": "rnn", **BACKWARDS}),
    "bahdanau": ("additive", {"kind": "gru", **BOTH}),
    "luong general": ("general", LUONG),
    "luong dot": ("dot", {**LUONG, **TWO, "tie_embeddings": False}),
    "two layers": ("dot", {"kind": "lstm", **BOTH, **TWO}),
}


class Weights(dict):
    """Parameters by path, which remember that they were read."""

    def __init__(self, *args):
        super().__init__(*args)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def parts(w, cell, gate, x, h):
    """W x + b and U h of one gate; the gates stand side by side, as many columns each as h has units."""
    own = slice(gate * len(h), (gate + 1) * len(h))
    return x @ w[f"{cell}/kernel"][:, own] + w[f"{cell}/bias"][own], h @ w[f"{cell}/recurrent"][:, own]


def rnn(w, cell, x, h):
    return np.tanh(sum(parts(w, cell, 0, x, h))),


def gru(w, cell, x, h):
    r, z = (sigmoid(sum(parts(w, cell, gate, x, h))) for gate in range(2))
    of_x, of_h = parts(w, cell, 2, x, h)
    return z * h + (1.0 - z) * np.tanh(of_x + r * (of_h + w[f"{cell}/candidate_bias"])),


def lstm(w, cell, x, h, c):
    i, f, g, o = (sum(parts(w, cell, gate, x, h)) for gate in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm}
SCORES = {
    "dot": lambda w, s, h: s @ h / H ** 0.5,
    "general": lambda w, s, h: s @ w["score_matrix"] @ h / H ** 0.5,
    "additive": lambda w, s, h: w["score_vector"] @ np.tanh(s @ w["score_query"] + h @ w["score_key"]),
    "cosine": lambda w, s, h: w["gain"] * (s @ h) / (np.linalg.norm(s) * np.linalg.norm(h)),
    "linear": lambda w, s, h: np.log(np.where(s > 0, s + 1, np.exp(s)) @ np.where(h > 0, h + 1, np.exp(h))),
}


def one_way(w, kind, cell, xs):
    """h at each x in turn, and the state after the last."""
    state, hs = (np.zeros(len(w[f"{cell}/recurrent"])),) * (2 if kind == "lstm" else 1), []
    for x in xs:
        state = CELLS[kind](w, cell, x, *state)
        hs.append(state[0])
    return hs, state


def encoder(w, model, xs):
    """The annotations h_1 .. h_S of the words, and each layer's last state."""
    turn, ends = -1 if model.reverse_source else 1, []
    xs = xs[::turn]
    for layer in range(model.num_layers):
        hs, end = one_way(w, model.kind, f"reader/forward_{layer}", xs)
        if model.bidirectional:
            back, start = one_way(w, model.kind, f"reader/backward_{layer}", xs[::-1])
            hs = [np.append(*pair) for pair in zip(hs, back[::-1])]
            end = tuple(np.append(*pair) for pair in zip(end, start))
        xs, ends = hs, [*ends, end]
    return np.array(xs[::turn]), ends


def decoder(w, model, compatibility, ys, h, states):
    """For every word y that goes in: what comes out, before the readout, and the weights over the source."""
    def f(states, *given):
        x, after = np.concatenate(given), []
        for layer, state in enumerate(states):
            after.append(CELLS[model.kind](w, f"writer_{layer}", x, *state))
            x = after[-1][0]
        return after

    def align(s):
        raised = np.exp([SCORES[compatibility](w, s, h_j) for h_j in h])
        return raised / raised.sum()

    def output(*seen):
        return np.tanh(np.concatenate(seen) @ w["output_kernel"] + w["output_bias"])

    summary, h_tilde = states[-1][0], np.zeros(D)
    for y in ys:
        if compatibility == "none":  # Cho et al. 2014, section 2.2
            states = f(states, y, summary)
            yield output(states[-1][0], summary, y), None
        elif model.input_feeding:  # Luong et al. 2015, sections 3.1 and 3.3
            states = f(states, y, h_tilde)
            alpha = align(states[-1][0])
            h_tilde = output(states[-1][0], alpha @ h)
            yield h_tilde, alpha
        else:  # Bahdanau et al. 2015, section 3.1
            alpha = align(states[-1][0])
            states = f(states, y, alpha @ h)
            yield output(states[-1][0], alpha @ h, y), alpha


def translate(w, model, compatibility, source, target):
    """Logits (T, N) and T rows of weights (S,) or None, of one sentence without padding."""
    tables = ["embedding"] * 3 if model.tie_embeddings else ["embedding", "target_embedding", "readout"]
    E_x, E_y, E_out = (w[name] for name in tables)
    h, states = encoder(w, model, E_x[source] * D ** 0.5)
    ys = E_y[np.append(BOS, target[:-1])] * D ** 0.5
    out, alphas = zip(*decoder(w, model, compatibility, ys, h, states))
    return np.array(out) @ E_out.T, alphas


@pytest.mark.parametrize("case", CASES)
def test_logits_weights_and_gradients_are_those_of_the_equations(case):
    compatibility, changes = CASES[case]
    changes = {f"model.{key}": value for key, value in ({"num_layers": 1} | changes).items()}
    structure, hyper = configs.split(configs.replace(configs.Config(), changes | {
        "model.width": D, "model.hidden": H, "attention.compatibility": compatibility}))
    model, given, rng = models.build(structure, N), batch(), np.random.default_rng(3)
    # Not as they begin: there the biases are zero, and what is zero is not seen to count.
    params = jax.tree.map(lambda x: 0.3 * rng.standard_normal(x.shape, np.float32),
                          jax.eval_shape(model.init, jax.random.key(0)))
    rows = [[row[row > 0] for row in pair] for pair in zip(given["source"], given["target"])]
    pull = rng.standard_normal((*given["target"].shape, N)) * (given["target"] > 0)[:, :, None]

    def total(params):
        output = model.apply(params, given, hyper, with_weights=True)
        logits = output.hidden @ output.readout.T
        return (logits * pull.astype(np.float32)).sum(), (logits, output.weights.get("cross"))

    gradient, (logits, weights) = jax.jit(jax.grad(total, has_aux=True))(params)
    named, gradient = ({jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(x, np.float64)
                        for path, x in jax.tree.leaves_with_path(tree)} for tree in (params, gradient))
    w = Weights(named)
    for row, (source, target) in enumerate(rows):
        wanted, alphas = translate(w, structure.model, compatibility, source, target)
        atol = 2e-6 * np.abs(wanted).max()
        np.testing.assert_allclose(logits[row, :len(target)], wanted, rtol=0, atol=atol)
        assert (weights is None) == (compatibility == "none")
        if weights is not None:
            ours = weights[0, row, 0, :len(target), :len(source)]
            np.testing.assert_allclose(ours, alphas, rtol=1e-5, atol=1e-6)
    assert w.read == set(w)

    def number(w):
        return sum((translate(w, structure.model, compatibility, *pair)[0] * one[:len(pair[1])]).sum()
                   for pair, one in zip(rows, pull))

    for name, x in named.items():  # along one direction in each parameter
        d = rng.standard_normal(x.shape)
        slope = (number(named | {name: x + 1e-5 * d}) - number(named | {name: x - 1e-5 * d})) / 2e-5
        terms = gradient[name] * d
        atol = 1e-6 * np.abs(terms).sum()  # many of them cancel
        np.testing.assert_allclose(terms.sum(), slope, rtol=5e-5, atol=atol, err_msg=name)
