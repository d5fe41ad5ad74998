"""CTranslate2 finds the translations that ours finds, with our weights: decoders of two projects agree."""

import types

import numpy as np
import pytest

from attention_lab.data.vocabulary import BOS, EOS, PAD
from attention_lab.tasks.translation import shrinking, to_ctranslate2
from tests.models.sentences import N, built

ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")

SMALL = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2,
         "model.tie_embeddings": False}
KINDS = {"pre": {}, "post": {"model.norm": "post"}, "learned": {"model.positions": "learned"},
         "gelu": {"model.activation": "gelu"}}
LIMIT = 13


def sources():
    rng = np.random.default_rng(7)
    return [rng.integers(4, N, rng.integers(2, 9)).tolist() for _ in range(29)]


def ours(model, params, hyper, ids, beam):
    """Ids of the best hypothesis of each source, without end marks."""
    source = np.zeros((32, 9), np.int32)
    for row, sentence in zip(source, ids):
        row[:len(sentence) + 1] = [*sentence, EOS]
    found = shrinking.decode(model, params, source, hyper, 1.0, beam, LIMIT, 9)
    return [[token for token in row if token not in (PAD, EOS)] for row in found[:len(ids)].tolist()]


@pytest.mark.parametrize("kind", KINDS)
def test_both_find_the_same_hypotheses(kind, tmp_path):
    model, params, hyper = built(SMALL | KINDS[kind])
    # Logits that differ much, so that rounding decides nothing; PAD and BOS, which it may write, are rare.
    readout = (3 * params["readout"]).at[EOS].multiply(-3)
    params = params | {"readout": readout.at[np.array([PAD, BOS])].set(0.0)}
    to_ctranslate2.convert(model, params, hyper.attention_scale, types.SimpleNamespace(size=N),
                           tmp_path / "model")
    theirs = ctranslate2.Translator(str(tmp_path / "model"), compute_type="float32", intra_threads=1)
    ids = sources()
    for beam in (1, 3):
        results = theirs.translate_batch([[str(token) for token in row] for row in ids], beam_size=beam,
                                         length_penalty=1.0, max_decoding_length=LIMIT,
                                         min_decoding_length=0)
        found = [[int(token) for token in result.hypotheses[0]] for result in results]
        expected = ours(model, params, hyper, ids, beam)
        # With a beam it ranks hypotheses that were cut by their score, ours come after all that ended.
        whole = [i for i, row in enumerate(found) if beam == 1 or len(row) < LIMIT]
        assert [found[i] for i in whole] == [expected[i] for i in whole]
        assert len({len(row) for row in expected}) > 3 and len({tuple(expected[i]) for i in whole}) > 4


@pytest.mark.parametrize("changes, message", [
    ({"model.positions": "rotary"}, "model.positions=rotary"),
    ({"attention.compatibility": "cosine"}, "attention.compatibility=cosine"),
    ({"attention.scale": "inverse"}, r"attention\.scale=0\.166667: CTranslate2 has .* = 0\.408248"),
    ({"model.norm": "none"}, "model.norm=none: CTranslate2 is given models with pre, post"),
    ({"model.residual": False}, "model.residual=False"), ({"attention.window": 0}, "attention.window=0"),
    ({"model.hidden": 0}, "model.hidden=0: layers of CTranslate2 have feed-forward nets"),
    ({"model.key_size": 5}, "model.key_size=5: CTranslate2 is given models with 6"),
    ({"model.value_size": 5}, "model.value_size=5: CTranslate2 is given models with 6")])
def test_a_model_that_it_does_not_have_is_refused(changes, message, tmp_path):
    model, params, hyper = built(SMALL | changes)
    with pytest.raises(ValueError, match=message):
        to_ctranslate2.convert(model, params, hyper.attention_scale, types.SimpleNamespace(size=N),
                               tmp_path / "model")
    assert not (tmp_path / "model").exists()
