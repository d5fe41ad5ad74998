"""A batch that shrinks gives what one loop over the whole batch gives, token for token."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.data.vocabulary import BOS, EOS, PAD
from attention_lab.decoding import beam_search, greedy_search
from attention_lab.tasks.translation import shrinking
from tests.models.sentences import N, built

SMALL = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2,
         "model.tie_embeddings": False}
RECURRENT = {"model.kind": "gru", "model.width": 12, "model.hidden": 14, "model.num_layers": 1,
             "attention.scale": 1.0, "model.input_feeding": True, "model.num_heads": 1,
             "model.tie_embeddings": False}
MARKS = dict(bos=BOS, eos=EOS, pad=PAD)
ROWS, S, LIMIT = 37, 7, 29


def sources():
    """37 sources of 3 to 7 tokens, and three rows that only fill the batch."""
    rng = np.random.default_rng(2)
    source = rng.integers(4, N, (ROWS + 3, S)).astype(np.int32)
    source[np.arange(S)[None] >= rng.integers(3, S + 1, ROWS + 3)[:, None]] = PAD
    source[ROWS:] = PAD
    return source


def one_loop(model, params, source, hyper, hypotheses, follow):
    """Both searches as pure functions, in which all that is carried follows the hypotheses."""
    def run(params, source):
        begin = dict(batch_size=len(source), max_length=LIMIT, active=jnp.any(source != PAD, axis=1), **MARKS)
        step = (lambda carry, token: model.step(params, carry, token, hyper))
        if hypotheses == 1:
            return greedy_search(lambda: model.start(params, source, hyper, LIMIT), step, **begin)
        own = hypotheses if follow else 1
        return beam_search(lambda: model.start(params, source, hyper, LIMIT, own), step, beam=hypotheses,
                           length_penalty=1.0, follow=follow, **begin)
    return jax.jit(run)(params, source)


def sharpened(params):
    """Parameters whose logits differ much, so that rounding decides nothing and many sentences end."""
    return params | {"readout": (3 * params["readout"]).at[EOS].multiply(1 if "reader" in params else -3)}


@pytest.mark.parametrize("changes", [SMALL, SMALL | {"model.positions": "rotary"}, RECURRENT],
                         ids=["transformer", "rotary", "recurrent"])
@pytest.mark.parametrize("hypotheses", [1, 3])
def test_a_batch_that_shrinks_gives_the_tokens_of_one_loop(changes, hypotheses, monkeypatch):
    model, params, hyper = built(changes)
    params, source, sizes = sharpened(params), sources(), []
    go_on = shrinking.go_on
    monkeypatch.setattr(shrinking, "go_on", lambda params, state, **more: (
        sizes.append(len(state.done)), go_on(params, state, **more))[1])
    found = shrinking.decode(model, params, source, hyper, 1.0, hypotheses, LIMIT, 11)
    expected = np.asarray(one_loop(model, params, source, hyper, hypotheses, None)[0])
    expected = expected if hypotheses == 1 else expected[:, 0]
    np.testing.assert_array_equal(found, expected)
    counts = np.sum(found[:ROWS] != PAD, axis=1)
    assert sizes and set(sizes) == {8}  # of 40 rows, a quarter is 8
    assert len(set(counts.tolist())) > 3 and not found[ROWS:].any()


def test_hypotheses_that_share_a_cache_are_those_whose_caches_are_gathered():
    model, params, hyper = built(SMALL)
    params, source = sharpened(params), sources()
    tokens, scores = one_loop(model, params, source, hyper, 5, model.follow)
    gathered, expected = one_loop(model, params, source, hyper, 5, None)
    np.testing.assert_array_equal(tokens, gathered)
    np.testing.assert_allclose(scores[:ROWS], expected[:ROWS], rtol=1e-4)
    # Hypotheses must have crossed: second ones that begin otherwise than the best.
    assert np.mean(np.asarray(tokens)[:ROWS, 0, 0] != np.asarray(tokens)[:ROWS, 1, 0]) > 0.1


@pytest.mark.parametrize("rows, length, limit, room", [(8, 10, 80, 80), (64, 10, 80, 16), (64, 11, 80, 32),
                                                       (128, 60, 80, 80)])
def test_the_first_batch_has_room_for_most_targets_and_the_smallest_for_all(rows, length, limit, room):
    assert shrinking.first_room(rows, length, limit) == room
