"""Classification as a task: class weights, losses, scores, vectors, shots and shared programs."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.data import sources, tokenizers
from attention_lab.data.labelled import Labelled
from attention_lab.models import Decision
from attention_lab.tasks.classification import task as classification
from attention_lab.tasks.classification.classifier import Predictions, load_names, with_columns
from attention_lab.tasks.classification.losses import make_loss
from attention_lab.tasks.classification.new_text import find_targets, known_forms
from configs.disambiguation import get_config

SMALL = {"data.train_size": 60, "data.lexicon_size": 300, "data.most_distance": 9, "data.max_words": 20,
         "data.buckets": (20,), "data.max_length": 20}


def small(config, **changes):
    changes = {name.replace("__", "."): value for name, value in changes.items()}
    return configs.replace(config, SMALL | changes)


def test_class_weights_by_hand():
    sentences = Labelled(["t"] * 6, [0] * 6, ["bank"] * 4 + ["club"] * 2, ["a", "a", "a", "b", "x", "x"])
    # bank has 3 of a and 1 of b, 2 in the mean; club has one class alone.
    np.testing.assert_allclose(classification.class_weights(sentences, 1.0),
                               [2 / 3] * 3 + [2] + [1, 1], rtol=1e-6)
    np.testing.assert_allclose(classification.class_weights(sentences, 0.5),
                               np.sqrt([2 / 3] * 3 + [2] + [1, 1]), rtol=1e-6)
    assert classification.class_weights(sentences, 0.0).tolist() == [1.0] * 6


# Two rows that are right and wrong, of three classes and of two, and one that fills the batch up.
LOGITS = np.log(np.array([[0.7, 0.2, 0.1], [0.25, 0.75, 9.0], [0.5, 0.5, 1.0]], np.float32))
ALLOWED = np.array([[True] * 3, [True, True, False], [True, True, False]])
POOL = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.0, 0.0, 0.0]], np.float32)
BATCH = {"target": np.array([0, 0, 0]), "weight": np.array([1.5, 0.25, 0.0], np.float32),
         "answer": np.array([[0.6, 0.4, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 0.0]], np.float32),
         "guide": np.array([[0.25, 0.75, 0.0], [0.9, 0.1, 0.0], [0.0, 0.0, 0.0]], np.float32)}


def loss(weights, **hyper):
    model = SimpleNamespace(apply=lambda *given, **more: Decision(
        LOGITS, ALLOWED, None, {"pool": POOL[None, :, None, None]}))
    config = configs.replace(configs.Config(), {"attention.weights": weights, "attention.divergence": 0.1})
    return make_loss(config, model)(None, BATCH, SimpleNamespace(**hyper), None)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_by_hand(smoothing):
    found, shown = loss("learned", label_smoothing=smoothing)
    plain = -np.log([0.7, 0.25])
    even = [-np.log([0.7, 0.2, 0.1]).mean(), -np.log([0.25, 0.75]).mean()]
    smoothed = (1 - smoothing) * plain + smoothing * np.array(even)
    assert found.total == pytest.approx(1.5 * smoothed[0] + 0.25 * smoothed[1], rel=1e-5)
    assert found.count == pytest.approx(1.75)
    # What is shown is plain: neither smoothed nor weighted.
    assert shown["cross_entropy"].total == pytest.approx(plain.sum(), rel=1e-5)
    assert shown["cross_entropy"].count == 2.0


def test_the_loss_of_an_adversary_by_hand():
    found, shown = loss("adversarial")
    variation = 0.5 * (0.1 + 0.2 + 0.1) + 0.0
    divergence = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75) + 0.0
    assert shown["variation"].total == pytest.approx(variation, rel=1e-5)
    assert shown["divergence"].total == pytest.approx(divergence, rel=1e-5)
    assert found.total == pytest.approx(variation - 0.1 * divergence, rel=1e-5) and found.count == 2.0


def test_scores_beside_the_most_frequent_class():
    sentences = Labelled(["s t"] * 4, [0, 0, 1, 1], ["bank"] * 2 + ["club"] * 2, ["a", "b", "x", "y"])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]], np.float32)
    predicted = Predictions(probabilities, ["a", "a", "x", "y"], None)
    classifier = SimpleNamespace(config=configs.Config(), predict=lambda *given, **more: predicted)
    usual = {"bank": "b", "club": "y"}
    found = classification.scores(classifier, None, sentences, "dev", usual)
    numbers = found.numbers
    assert numbers["dev_accuracy"] == 0.75 and numbers["dev_macro_f1"] == round((1 / 3 + 1) / 2, 6)
    assert numbers["dev_most_frequent_accuracy"] == 0.5
    assert numbers["dev_most_frequent_macro_f1"] == round(1 / 3, 6)
    assert (numbers["dev_accuracy_bank"], numbers["dev_macro_f1_club"]) == (0.5, 1.0)
    assert found.predictions[1] == {"sentence": "s t", "place": "0", "word": "bank", "class": "b",
                                    "found": "a", "probability": "0.6000"}
    again = classification.scores(classifier, None, sentences, "dev", usual, final=False).numbers
    assert set(again) == {"dev_accuracy", "dev_macro_f1"}


def test_columns_of_a_batch_are_those_of_its_examples_and_padded():
    given = {"source": np.ones((3, 4), np.int32), "example": np.array([2, 0, -1], np.int32)}
    made = with_columns(given, {"position": np.array([5, 6, 7]), "answer": np.eye(3),
                                "guide": [np.array([0.5, 0.5]), np.array([1.0]), np.array([0.2, 0.3, 0.5])]})
    assert made["position"].tolist() == [7, 5, 0]
    np.testing.assert_array_equal(made["answer"], [[0, 0, 1], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(made["guide"], [[0.2, 0.3, 0.5, 0], [0.5, 0.5, 0, 0], [0] * 4], rtol=1e-6)


def test_known_words_are_found_in_new_text():
    assert known_forms({"bank": (), "body": ()}, {"calves": "calf", "BANK": "bank"}) == {
        "bank": "bank", "banks": "bank", "bankes": "bank", "BANK": "bank",
        "body": "body", "bodys": "body", "bodies": "body"}
    config = configs.replace(configs.Config(), {"data.source": "coarsewsd"})
    text = {"tokenizer": tokenizers.train("word", ["the bank 's banks .", "a film ."], 20), "buckets": (9,)}
    classifier = SimpleNamespace(config=config, classes={"bank": ("a", "b")}, forms={"bank": "bank"}, **text)
    found = find_targets(classifier, ["The bank's Banks.", "a banker", ""])
    assert found.texts == ["the bank 's banks .", "a banker", ""]
    assert (found.lines, found.sentences.position, found.sentences.word) == ([0, 0], [1, 3], ["bank"] * 2)
    raw = configs.replace(config, {"data.text": "raw"})
    found = find_targets(SimpleNamespace(config=raw, classes={"bank": ()}, forms={}, **text),
                         ["The Bank's  Banks."])
    assert found.texts == ["The Bank's Banks."] and found.lines == []
    whole = configs.replace(config, {"data.source": "sentiment_csv"})
    found = find_targets(SimpleNamespace(config=whole, classes={"": ()}, forms={}, **text),
                         ["A film.", " ", "b"])
    assert (found.lines, found.sentences.text) == ([0, 2], ["a film .", "b"])
    assert found.sentences.position == [-1, -1]


def test_vectors_stand_where_the_embeddings_begin(tmp_path):
    path = tmp_path / "vectors.txt"
    table = np.random.default_rng(0).normal(3.0, 2.0, (2, 16))
    rows = zip(("the", "nonesuch", "."), [*table, table[0]])
    path.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows))
    config = small(get_config("bag_of_words,smoke"))
    plain = classification.build(config)
    classifier, task = classification.prepare(configs.replace(config, {"data.vectors": str(path)}))
    tokens = classifier.tokenizer.tokens(range(classifier.tokenizer.size))
    key = jax.random.key(0)
    found, without = (np.asarray(one.init(key)["embedding"]) for one in (task, plain))
    known = [tokens.index("the"), tokens.index(".")]
    rest = [i for i in range(len(tokens)) if i not in known]
    np.testing.assert_array_equal(found[rest], without[rest])
    # Its numbers, as large as embeddings begin.
    np.testing.assert_allclose(found[known[0]], table[0] * 16 ** -0.5 / table[[0, 0]].std(), rtol=1e-5)
    # And as many times smaller as embeddings are then.
    small_scale = classification.build(configs.replace(config, {"data.vectors": str(path),
                                                                "model.embedding_scale": 0.1}))
    np.testing.assert_allclose(small_scale.init(key)["embedding"], 0.1 * found, rtol=1e-5)
    assert task.facts["vectors_known"] == 2
    assert f"2 of {len(tokens) - 4} words have a vector in {path}" in task.notices
    assert not any("vector" in line for line in plain.notices)
    with pytest.raises(ValueError, match="model.width=8: .* has vectors of 16 numbers"):
        classification.build(configs.replace(config, {"data.vectors": str(path), "model.width": 8}))


def test_arms_that_differ_in_numbers_alone_share_a_program():
    one, two, other = (classification.prepare(small(get_config("smoke"), **changes))[0] for changes in (
        {}, {"attention__scale": 1.0, "seed": 3}, {"model__num_heads": 2}))
    assert one.model == two.model and one.hyper.attention_scale != two.hyper.attention_scale
    assert one.model != other.model


def test_few_shots_train_on_few_and_tell_of_classes_that_have_fewer():
    config = small(get_config("bag_of_words,smoke"), data__shots=2)
    train_part = sources.load(config.data)["train"]
    sizes = [list(zip(train_part.word, train_part.label)).count(pair)
             for pair in set(zip(train_part.word, train_part.label))]
    assert max(sizes) == 2 and 1 in sizes
    assert any(f"{sizes.count(1)} classes below shots" in line
               for line in classification.build(config).notices)


def test_classes_that_look_like_one_are_told_before_training(tmp_path):
    rows = "".join(f"0\tbank a{i} the\t{label}\n" for i in range(9) for label in ("River", "river"))
    (tmp_path / "senses.tsv").write_text(rows)
    config = small(get_config("bag_of_words,smoke"), data__source="senses_tsv",
                   data__path=str(tmp_path / "senses.tsv"))
    assert any("'River' and 'river' of 'bank' are different classes" in line
               for line in classification.build(config).notices)


def test_sentences_beyond_what_can_be_scored_are_told_before_training(monkeypatch):
    train = Labelled(["bank a good"] * 8 + ["bank a bad"] * 8, [0] * 16, ["bank"] * 16, ["+"] * 8 + ["-"] * 8)
    held = Labelled(["bank", "bank" + " good" * 9000, "bank bad"], [0] * 3, ["bank"] * 3, ["-", "+", "-"])
    monkeypatch.setattr(sources, "load", lambda data: {"train": train, "dev": held, "test": held})
    _, task = classification.prepare(get_config("smoke"))
    told = [notice for notice in task.notices if "tokens" in notice]
    assert [line.split(":")[0] for line in told] == ["dev", "test"]
    assert all("1 of 3 sentences with more than" in line and 'number 2, "bank good' in line for line in told)
    assert max(batch["source"].shape[1] for batch in task.dev_batches()) < 9000


@pytest.mark.parametrize("content, said", [
    ('{"classes": {}, "forms": {}}', "its classes are empty"),
    ('{"classes": {"bank": "rive"}, "forms": {}}', "its classes of 'bank' are \"rive\", no list of names"),
    ('{"classes": {"bank": [1, 2]}, "forms": {}}', r"its classes of 'bank' are \[1, 2\]"),
    ('{"classes": {"bank": []}, "forms": {}}', "its classes of 'bank' are"),
    ('{"classes": {"bank": ["a"]}, "forms": {"banks": 3}}', "its forms are of no words"),
    ('{"classes": [], "forms": {}}', "its classes is"), ("{}", "it has no classes")])
def test_damaged_names_of_classes_are_one_line(tmp_path, content, said):
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(ValueError, match=f"classes.json is damaged: {said}") as caught:
        load_names(tmp_path)
    assert "\n" not in str(caught.value)
