"""Students and adversaries of a guide: the run whose weights or answers they are given."""

import shutil
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.data import sources
from attention_lab.data.tokenizers import TOKENIZERS
from attention_lab.storage.files import digest
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.classification import task as classification
from attention_lab.tasks.load import load
from configs.sentiment import get_config as get_sentiment
from experiments import flags, train

SMALL = {"data.train_size": 60, "data.lexicon_size": 300, "data.most_distance": 9, "data.max_words": 20,
         "data.buckets": (20,), "data.max_length": 20}


def small(config, **changes):
    changes = {name.replace("__", "."): value for name, value in changes.items()}
    return configs.replace(config, SMALL | changes)


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
    wanted = held.classifier.predict(held.params, dev, with_weights=True)
    guided = guidance.answers(guidance.find(config), dev, classifier.classes)
    params = task.init(jax.random.key(0))
    found = classifier.predict(params, dev, with_weights=True, extra=guided)
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
    ({"model.pooling": "place"}, {}, "pools by place: it has no weights to follow; additive and dot have"),
    ({"attention.weights": "frozen"}, {}, "has the weights of another run, runs/base: give that one"),
    ({"kind": "bpe"}, {}, "weights of subwords can't be transferred"),
    ({}, {"data.tokenizer": "bpe"}, "weights of subwords can't be transferred"),
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
                                 tokenizer=SimpleNamespace(
                                     segmentation=TOKENIZERS[held.get("kind", "word")]))
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
    with pytest.raises(ValueError, match="is not the run by which this one was trained"):
        guidance.find(config, "0" * 64)
    facts = {"data": {"files": {"attention.guide": digest(guide / "result.json")}}}
    student = SimpleNamespace(run=SimpleNamespace(config=config, facts=facts, folder=tmp_path / "student"))
    assert guidance.of(student.run).run.folder == guide and guidance.of(load(guide).run) is None
    facts["data"]["files"]["attention.guide"] = "0" * 64
    with pytest.raises(ValueError, match="is not the run by which this one was trained"):
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
    with pytest.raises(ValueError, match=f"guide={decoy} is not the run|seen from here"):
        guidance.of(SimpleNamespace(**vars(run) | {"folder": tmp_path / "far" / "student"}), str(decoy))


@pytest.mark.parametrize("now", ["runs/base.1", "new/renamed [a*]"])
def test_a_guide_of_another_name_is_known_by_its_content(guide, tmp_path, now):
    (tmp_path / "runs" / "base").mkdir(parents=True)  # as --rerun leaves it: the guide is in base.1
    (tmp_path / "runs" / "base" / "result.json").write_text("{}")
    config = configs.replace(configs.Config(), {"attention.guide": str(tmp_path / "runs" / "base"),
                                                "attention.weights": "frozen"})
    shutil.copytree(guide, tmp_path / now)
    found = guidance.find(config, digest(guide / "result.json"), tmp_path / "new" / "student")
    assert found.run.folder == tmp_path / now


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
