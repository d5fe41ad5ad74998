"""Tables of a translator's page: weights as `attention` gives them, outputs as the model has them, truths."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.attention import counterfactual
from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.data.grammar import generate
from attention_lab.data.pairs import Pairs
from attention_lab.data.vocabulary import BOS, EOS, PAD
from attention_lab.models.heads import value_norms
from attention_lab.tasks import views
from attention_lab.tasks.elsewhere import changed
from attention_lab.tasks.translation import view
from attention_lab.tasks.translation.translator import Translator
from attention_lab.view.encoding import plain

SOURCES = ["the dog sees a cat .", "it sleeps ."]
TARGETS = ["le chien voit un chat .", "il dort ."]
TRANSFORMER = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 2}
GRU = {"model.kind": "gru", "model.width": 6, "model.hidden": 10, "model.num_layers": 1,
       "attention.compatibility": "additive"}


@pytest.fixture(scope="module", params=["transformer", "gru"])
def viewed(request):
    """A translator that knows nothing, its params, a viewer of two pairs, their tables at two steps."""
    config = replace(Config(), TRANSFORMER if request.param == "transformer" else GRU)
    translator = Translator(config, tokenizers.train("word", SOURCES + TARGETS, 30), (7, 11))
    params = jax.tree.map(lambda leaf: 1.5 * leaf, translator.model.init(jax.random.key(3)))
    viewer = view.Viewer(translator, Pairs(SOURCES, TARGETS), TARGETS, "the reference")
    first = translator.model.init(jax.random.key(5))
    return translator, params, viewer, views.tables(viewer, 2, {0: first, 7: params}, 7)


def output(translator, params, i, intervention=None):
    """Probabilities of one pair by the model itself."""
    ids = [translator.tokenizer.encode([side[i]])[0] + [EOS] for side in (SOURCES, TARGETS)]
    batch = dict(source=np.array([ids[0]], np.int32), target=np.array([ids[1]], np.int32),
                 example=np.zeros(1, np.int32))
    got = translator.model.apply(params, batch, translator.hyper, intervention=intervention)
    logits = np.array(got.hidden[0] @ got.readout.T)
    logits[:, [PAD, BOS]] = -np.inf
    return np.asarray(jax.nn.softmax(logits, axis=-1)), ids[1]


def test_weights_and_norms_are_those_of_the_model(viewed):
    translator, params, _, sentences = viewed
    for i, attention in enumerate(translator.attention(params, SOURCES, TARGETS)):
        for kind in view.SIDES:
            own = getattr(attention, kind)
            if own is None:
                assert kind not in sentences[i].maps
                continue
            table = sentences[i].maps[kind]
            np.testing.assert_allclose(table.weights[1], own, atol=1e-6)
            assert table.weights[0].shape == own.shape and np.abs(table.weights[0] - own).max() > 1e-3
        np.testing.assert_allclose(sentences[i].maps["cross"].norms[1], attention.values, rtol=1e-5)


def test_norms_of_self_attention(viewed):
    translator, params, viewer, sentences = viewed
    if translator.model.projections is None:
        assert set(sentences[0].maps) == {"cross"}
        return
    ids = [translator.tokenizer.encode([side[1]])[0] + [EOS] for side in (SOURCES, TARGETS)]
    batch = dict(source=np.array([ids[0]], np.int32), target=np.array([ids[1]], np.int32),
                 example=np.zeros(1, np.int32))
    for kind in ("encoder", "decoder"):
        norms = value_norms(translator.model.projections, kind, kind, "heads", params, batch,
                            translator.hyper)
        np.testing.assert_allclose(sentences[1].maps[kind].norms[1], norms[:, 0], rtol=1e-5)


def test_what_it_says_by_itself_is_its_own_output(viewed):
    translator, params, _, sentences = viewed
    for i in range(2):
        p, target = output(translator, params, i)
        said = sentences[i].said[1]
        np.testing.assert_allclose(said.best, p.max(axis=-1), rtol=1e-5)
        np.testing.assert_allclose(said.written, p[np.arange(len(target)), target], rtol=1e-4)
        assert list(said.words) == translator.tokenizer.tokens(p.argmax(axis=-1))


@pytest.mark.parametrize("change", ["uniform", "permuted", "zero_max"])
def test_outputs_elsewhere_are_those_of_replaced_weights(viewed, change):
    translator, params, viewer, sentences = viewed
    own, target = output(translator, params, 0)
    for kind, table in sentences[0].maps.items():
        layers, heads, T, S = table.weights[1].shape
        numbers = changed(table.weights[1], table.allowed, change, table.elsewhere.order)
        for place, (layer, head) in {0: (slice(None), slice(None)), layers: (layers - 1, slice(None)),
                                     layers + layers * heads: (layers - 1, heads - 1)}.items():
            rows = np.zeros((layers, 1, heads, T), bool)
            rows[layer, 0, head] = True
            other = counterfactual.given(jnp.asarray(numbers[:, None], jnp.float32), jnp.asarray(rows))
            p, _ = output(translator, params, 0, {kind: other})
            said = table.elsewhere.said[change]
            np.testing.assert_allclose(said.moved[place], 0.5 * np.abs(p - own).sum(axis=-1), atol=2e-6)
            np.testing.assert_allclose(said.written[place], p[np.arange(len(target)), target], rtol=1e-3)


def test_of_one_layer_it_is_the_model_s_own_counterfactual(viewed):
    translator, params, _, sentences = viewed
    own, _ = output(translator, params, 0)
    table = sentences[0].maps["cross"]
    layers, heads, T, _ = table.weights[1].shape
    rows = jnp.broadcast_to(jnp.arange(layers)[:, None, None, None] == layers - 1, (layers, 1, heads, T))
    for change, other in (("uniform", counterfactual.uniform(rows)),
                          ("zero_max", counterfactual.zero_max(rows))):
        p, _ = output(translator, params, 0, {"cross": other})
        if layers > 1:  # a GRU's later steps see what earlier ones attended to, and attend otherwise
            np.testing.assert_allclose(table.elsewhere.said[change].moved[layers],
                                       0.5 * np.abs(p - own).sum(axis=-1), atol=2e-6)


def test_words_of_rows_and_columns(viewed):
    _, _, _, sentences = viewed
    maps = sentences[1].maps
    assert maps["cross"].rows == ["il", "dort", ".", "</s>"] and maps["cross"].columns == [
        "it", "sleeps", ".", "</s>"]
    if "decoder" in maps:
        assert maps["decoder"].columns == ["<s>", "il", "dort", "."]
        assert list(maps["decoder"].column_words) == [-1, 0, 1, 2]
        assert list(maps["decoder"].row_words) == [0, 1, 2, -1]
        assert not np.triu(maps["decoder"].weights[1], 1).any()


def test_pieces_and_unknown_words():
    tokenizer = tokenizers.train("bpe", ["ab ab cab"], 12)
    translator = Translator(replace(Config(), TRANSFORMER | {"data.tokenizer": "bpe"}), tokenizer, (17,))
    frame = view.Viewer(translator, Pairs(["cab ab"], ["ab"]), ["ab"], "").frame(0)
    columns = frame.maps["cross"].columns
    assert "".join(columns).replace("·", "") == "cabab</s>"
    assert list(frame.maps["cross"].column_words)[-1] == -1
    word = Translator(replace(Config(), TRANSFORMER), tokenizers.train("word", ["a b"], 9), (17,))
    assert view.Viewer(word, Pairs(["a <x> b"], ["b"]), ["b"], "").frame(0).maps["cross"].columns == [
        "a", "<x>", "b", "</s>"]


def test_truths_point_from_the_word_that_looks():
    sentences = generate(400, seed=1, lexicon_size=300, min_words=4, max_words=20)
    counted = dict.fromkeys(("subject", "antecedent", "deciding word"), 0)
    for truth in sentences:
        links = view.links_of(truth)
        assert links["cross"]["alignment"] == [(french, english) for english, french in truth.alignment]
        for name, row, column in (
                *(("subject", verb.english_verb, verb.english_subject) for verb in truth.agreement),
                *(("antecedent", it.english_pronoun, it.english_antecedent) for it in truth.antecedents),
                *(("deciding word", sense.english, sense.decider) for sense in truth.senses)):
            assert (row, column) in links["encoder"][name]
            counted[name] += 1
        for name, pairs in links["decoder"].items():
            assert all(column < row for row, column in pairs)
        for it in truth.antecedents:
            assert truth.french[it.french_pronoun] == it.right
            assert (it.french_pronoun, it.english_antecedent) in links["cross"]["antecedent"]
    assert min(counted.values()) > 5


def test_pairs_of_a_page_have_truths_and_are_of_middle_length():
    truth = generate(200, seed=2, lexicon_size=300, min_words=3, max_words=20)
    pairs = Pairs([one.source for one in truth], [one.target for one in truth], truth)
    tokenizer = tokenizers.train("word", pairs.source + pairs.target, 900)
    translator = SimpleNamespace(tokenizer=tokenizer)
    chosen = view.pairs_of_page(translator, pairs)
    assert len(chosen) == views.SENTENCES
    assert all(abs(len(text.split()) - view.WORDS) <= view.SPAN for text in chosen.source)
    assert all(one.senses or one.antecedents for one in chosen.truth)
    with pytest.raises(ValueError, match="no pair of dev has at most 64 tokens"):
        view.pairs_of_page(translator, Pairs(["a " * 90], ["b"]))


def test_limits_are_said():
    with pytest.raises(ValueError, match="33 sentences: from 1 to 32 fit on a page"):
        views.check_lengths([3] * 33)
    with pytest.raises(ValueError, match="0 sentences: from 1 to 32"):
        views.check_lengths([])
    with pytest.raises(ValueError, match="sentence 2 has 65 tokens, end mark included: at most 64"):
        views.check_lengths([64, 65])
    with pytest.raises(ValueError, match="line 5 of x has 67 tokens, end mark included: at most 64"):
        views.check_lengths([64, 67], names=["line 3 of x", "line 5 of x"])


@pytest.mark.parametrize("room, steps, selected", [
    (1, [3], 0), (3, [0, 3, 5], 1), (4, [0, 2, 3, 5], 2), (2, [0, 3], 1)])
def test_checkpoints_are_left_out_where_all_would_be_too_large(viewed, monkeypatch, tmp_path, room, steps,
                                                               selected):
    translator, params, viewer, _ = viewed
    fixed, each = views.letters(viewer, 2)
    monkeypatch.setattr(views, "ROOM", fixed + room * each)
    monkeypatch.setattr(views, "tables", lambda *a: [])
    monkeypatch.setattr(views.view, "save", lambda page, path: written.append(page))
    said, written = [], []
    history = {step: params for step in (0, 2, 3, 5)}
    views.save(viewer, 2, translator.config, history, 3, tmp_path / "view.html", said.append)
    shown = "1 of 4 checkpoints is" if len(steps) == 1 else f"{len(steps)} of 4 checkpoints are"
    assert said == ([] if room == 4 else [
        f"{shown} shown: with all, {tmp_path}/view.html would be above 2 MB"])
    assert written[0].steps == steps and written[0].selected == selected


def test_the_size_of_a_page_is_foreseen(viewed, tmp_path):
    """Letters of weights, norms, answers and answers elsewhere; words, truths and the script are the rest."""
    translator, params, viewer, sentences = viewed
    fixed, each = views.letters(viewer, 2)
    page = plain(views.view.Page("t", [0, 7], 1, sentences))

    def written(part):
        if isinstance(part, str):
            return len(part)
        return sum(map(written, part.values() if isinstance(part, dict) else part))

    assert 2 * each == sum(written([one["said"], *(
        [table["weights"], table["norms"]] for table in one["maps"].values())]) for one in page["sentences"])
    assert fixed == sum(written(table["elsewhere"]) for one in page["sentences"]
                        for table in one["maps"].values()) + 80 * sentences[0].maps["cross"].allowed.size


def test_one_checkpoint_that_is_too_large_is_said(viewed, monkeypatch, tmp_path):
    translator, params, viewer, _ = viewed
    fixed, each = views.letters(viewer, 2)
    monkeypatch.setattr(views, "ROOM", fixed + each - 1)
    said = []
    views.save(viewer, 2, translator.config, {0: params, 3: params}, 3, tmp_path / "view.html", said.append)
    assert said == [f"1 of 2 checkpoints is shown: with all, {tmp_path}/view.html would be above 2 MB",
                    f"{tmp_path}/view.html has {(fixed + each) / 1e6:.1f} MB of numbers of the selected "
                    "checkpoint alone, above 2 MB: fewer or shorter sentences make it smaller"]
