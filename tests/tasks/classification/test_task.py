"""Classification as a task: class weights, losses, scores, vectors, guides, shots and shared programs."""

import shutil
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.data import sources
from attention_lab.data.labelled import Labelled
from attention_lab.models import Decision
from attention_lab.storage.files import digest
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.classification import task as classification
from attention_lab.tasks.classification.classifier import Judged, with_columns
from attention_lab.tasks.classification.losses import make_loss
from attention_lab.tasks.classification.new_text import known_forms, questions
from attention_lab.tasks.load import load
from configs.disambiguation import get_config
from configs.sentiment import get_config as get_sentiment
from experiments import flags, train

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
    judged = Judged(probabilities, ["a", "a", "x", "y"], None)
    classifier = SimpleNamespace(config=configs.Config(), judge=lambda *given, **more: judged)
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
    made = with_columns(given, {"place": np.array([5, 6, 7]), "answer": np.eye(3),
                                "guide": [np.array([0.5, 0.5]), np.array([1.0]), np.array([0.2, 0.3, 0.5])]})
    assert made["place"].tolist() == [7, 5, 0]
    np.testing.assert_array_equal(made["answer"], [[0, 0, 1], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(made["guide"], [[0.2, 0.3, 0.5, 0], [0.5, 0.5, 0, 0], [0] * 4], rtol=1e-6)


def test_new_text_is_asked_about_the_words_that_are_known():
    assert known_forms({"bank": (), "body": ()}, {"calves": "calf", "BANK": "bank"}) == {
        "bank": "bank", "banks": "bank", "bankes": "bank", "BANK": "bank",
        "body": "body", "bodys": "body", "bodies": "body"}
    config = configs.replace(configs.Config(), {"data.source": "coarsewsd"})
    classifier = SimpleNamespace(config=config, classes={"bank": ("a", "b")}, forms={"bank": "bank"})
    found = questions(classifier, ["The bank's Banks.", "a banker", ""])
    assert found.texts == ["the bank 's banks .", "a banker", ""]
    assert (found.lines, found.sentences.place, found.sentences.word) == ([0, 0], [1, 3], ["bank"] * 2)
    raw = configs.replace(config, {"data.text": "raw"})
    found = questions(SimpleNamespace(config=raw, classes={"bank": ()}, forms={}), ["The Bank's  Banks."])
    assert found.texts == ["The Bank's Banks."] and found.lines == []
    whole = configs.replace(config, {"data.source": "sentiment_csv"})
    found = questions(SimpleNamespace(config=whole, classes={"": ()}, forms={}), ["A film.", " ", "b"])
    assert (found.lines, found.sentences.text, found.sentences.place) == ([0, 2], ["a film .", "b"], [-1, -1])


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


@pytest.fixture(scope="module")
def guide(tmp_path_factory):
    """A finished run whose pooling attends."""
    folder = tmp_path_factory.mktemp("guides") / "run"
    given = [f"--config.{key}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
             for key, value in SMALL.items()]
    with pytest.raises(SystemExit) as ended:
        flags.run(train.main, train.PROGRAM,
                  ["--config=configs/sentiment.py:average,smoke", f"--workdir={folder}", *given])
    assert ended.value.code == 0
    return folder


def test_a_student_pools_by_the_frozen_weights_of_a_run(guide, tmp_path):
    config = small(get_sentiment("average,smoke"), attention__weights="frozen", attention__guide=str(guide),
                   seed=5)
    classifier, task = classification.prepare(config)
    held = load(guide)
    dev = sources.load(config.data)["dev"]
    wanted = held.classifier.judge(held.params, dev, with_weights=True)
    guided = guidance.answers(guidance.find(config), dev, classifier.classes)
    params = task.init(jax.random.key(0))
    found = classifier.judge(params, dev, with_weights=True, extra=guided)
    assert np.abs(found.probabilities - wanted.probabilities).max() > 1e-3
    for own, other in zip(found.weights, wanted.weights):
        np.testing.assert_allclose(own["pool"], other["pool"], rtol=1e-6)
    # It is drawn by them, too, and trained on batches that hold them.
    task.illustrate(params, None, tmp_path)
    with np.load(tmp_path / "attention.npz") as kept:
        assert any(np.allclose(kept["0_pool"], one["pool"]) for one in wanted.weights
                   if one["pool"].shape == kept["0_pool"].shape)
    batch = next(task.batches(0, 0))
    np.testing.assert_allclose(batch["guide"].sum(axis=1), 1.0, rtol=1e-5)


def test_an_adversary_with_the_weights_of_its_guide_is_no_way_off(guide):
    config = small(get_sentiment("average,smoke"), attention__weights="adversarial",
                   attention__guide=str(guide), attention__divergence=0.5)
    task = classification.build(config)
    params = load(guide).params
    numbers = task.score(params, None, "dev", False).numbers
    for name in ("variation", "divergence", "jensen_shannon", "objective"):
        assert numbers[f"dev_{name}"] == pytest.approx(0, abs=1e-6)
    other = jax.tree.map(jnp.array, params) | {"pool_vector": 30 * params["pool_vector"] + 1}
    numbers = task.score(other, None, "dev", False).numbers
    assert 0 < numbers["dev_jensen_shannon"] <= np.log(2) and numbers["dev_divergence"] > 0
    wanted = numbers["dev_variation"] - 0.5 * numbers["dev_divergence"]
    assert numbers["dev_objective"] == pytest.approx(wanted)
    assert task.select == ("dev_objective", -1.0)


@pytest.mark.parametrize("held, student, message", [
    ({"model.pooling": "place"}, {}, "pools by place: it has no weights to go by; additive and dot have"),
    ({"attention.weights": "frozen"}, {}, "has the weights of another, runs/base: give that one"),
    ({"kind": "bpe"}, {}, "weights of subwords fit no others"),
    ({}, {"data.tokenizer": "bpe"}, "weights of subwords fit no others"),
    ({"classes": {"club": ("a", "b")}}, {}, "does not know the word 'bank'"),
    ({"classes": {"bank": ("a", "c")}}, {"attention.weights": "adversarial"},
     "has the classes a, c of 'bank', and here are a, b: an adversary needs the same"),
    ({"classes": {"bank": ("a", "c")}}, {}, None),
])
def test_a_guide_that_does_not_fit_is_refused(monkeypatch, held, student, message):
    changes = {"model.pooling": "additive", "attention.guide": "runs/base"} | {
        key: value for key, value in held.items() if "." in key}
    run = SimpleNamespace(config=configs.replace(configs.Config(), changes))
    classifier = SimpleNamespace(classes=held.get("classes", {"bank": ("a", "b"), "club": ("x",)}),
                                 tokenizer=SimpleNamespace(kind=held.get("kind", "word")))
    monkeypatch.setattr(guidance, "load", lambda folder: SimpleNamespace(
        run=run, classifier=classifier))
    student = {"attention.guide": "runs/guide", "attention.weights": "frozen"} | student
    config = configs.replace(configs.Config(), student)
    if message is None:
        assert guidance.find(config).run is run and guidance.find(configs.Config()) is None
        guidance.check(guidance.find(config), config, {"bank": ("a", "b")})
        return
    with pytest.raises(ValueError, match=f"^attention.guide=runs/guide.*{message}"):
        guidance.check(guidance.find(config), config, {"bank": ("a", "b")})


def test_a_guide_that_is_missing_or_another_than_it_was_is_refused(guide, tmp_path):
    config = configs.replace(configs.Config(), {"attention.guide": str(tmp_path / "none"),
                                                "attention.weights": "frozen"})
    with pytest.raises(ValueError, match="^attention.guide=.*none, seen from here: .* is not a run folder"):
        guidance.find(config)
    config = configs.replace(config, {"attention.guide": str(guide)})
    assert guidance.find(config, digest(guide / "result.json")) is not None
    with pytest.raises(ValueError, match="is another run than the one that this was trained by"):
        guidance.find(config, "0" * 64)
    facts = {"data": {"files": {"attention.guide": digest(guide / "result.json")}}}
    student = SimpleNamespace(run=SimpleNamespace(config=config, facts=facts, folder=tmp_path / "student"))
    assert guidance.of(student.run).run.folder == guide and guidance.of(load(guide).run) is None
    facts["data"]["files"]["attention.guide"] = "0" * 64
    with pytest.raises(ValueError, match="is another run than the one that this was trained by"):
        guidance.of(student.run)


@pytest.mark.parametrize("path, now", [
    ("runs/base", "runs/base"),  # both stay, and the run is asked from another folder
    ("runs/base", "base"), ("/gone/runs/base", "base"), ("/gone/runs/base", "runs/base")])
def test_a_guide_that_was_moved_is_looked_for_beside_its_student(guide, tmp_path, path, now):
    by, student = digest(guide / "result.json"), tmp_path / "new" / "runs" / "student"
    config = configs.replace(configs.Config(), {"attention.guide": path, "attention.weights": "frozen"})
    decoy = tmp_path / "new" / "runs" / "runs" / "base"
    decoy.mkdir(parents=True)
    (decoy / "result.json").write_text("{}")
    with pytest.raises(ValueError, match=f"guide={path}, seen from here: .* --config.attention.guide=DIR"):
        guidance.find(config, by, student)
    shutil.copytree(guide, tmp_path / "new" / now)
    assert guidance.find(config, by, student).run.folder == tmp_path / "new" / now
    run = SimpleNamespace(config=config, folder=student, facts={"data": {"files": {"attention.guide": by}}})
    assert guidance.of(run, str(guide)).run.folder == guide  # where the user says it is
    with pytest.raises(ValueError, match=f"guide={decoy} is another run than|seen from here"):
        guidance.of(SimpleNamespace(**vars(run) | {"folder": tmp_path / "far" / "student"}), str(decoy))


def test_what_hangs_on_nothing_read_is_refused_first_and_a_guide_is_not_asked_before_it_is_wanted(
        guide, tmp_path, monkeypatch):
    config = small(get_sentiment("average,smoke"), data__vectors=str(tmp_path / "none"))
    monkeypatch.setattr(sources, "load", lambda *_: pytest.fail("the corpus was read"))
    with pytest.raises(ValueError, match="^data.vectors=.*none: can't be read: No such file"):
        classification.build(config)
    monkeypatch.undo()
    monkeypatch.setattr(guidance, "answers", lambda *_: pytest.fail("the guide was asked"))
    config = small(get_sentiment("average,smoke"), attention__weights="frozen", attention__guide=str(guide))
    assert classification.build(config).facts["files"] == {
        "attention.guide": digest(guide / "result.json")}


def test_the_corpus_is_known_again_by_its_text(guide):
    held = load(guide).run
    corpus = sources.load(held.config.data)
    assert held.facts["data"]["sha256"] == sources.digest(corpus)


def test_sentences_beyond_what_can_be_scored_are_told_before_training(monkeypatch):
    train = Labelled(["bank a good"] * 8 + ["bank a bad"] * 8, [0] * 16, ["bank"] * 16, ["+"] * 8 + ["-"] * 8)
    held = Labelled(["bank", "bank" + " good" * 9000, "bank bad"], [0] * 3, ["bank"] * 3, ["-", "+", "-"])
    monkeypatch.setattr(sources, "load", lambda data: {"train": train, "dev": held, "test": held})
    _, task = classification.prepare(get_config("smoke"))
    told = [notice for notice in task.notices if "tokens" in notice]
    assert [line.split(":")[0] for line in told] == ["dev", "test"]
    assert all("1 of 3 sentences have more than" in line and 'number 2, "bank good' in line for line in told)
    assert max(batch["source"].shape[1] for batch in task.dev_batches()) < 9000
