"""The translation task from data to scores, on a corpus that takes seconds."""

import json

import jax
import jax.numpy as jnp
import pytest

from attention_lab.config import replace, split
from attention_lab.data import sources
from attention_lab.data.pairs import Pairs
from attention_lab.data.vocabulary import EOS
from attention_lab.tasks.load import load
from attention_lab.tasks.translation import task as translation
from attention_lab.training.state import parameter_count
from configs.translation import get_config
from experiments import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    with pytest.raises(SystemExit) as ended:
        train.flags.run(train.main, train.PROGRAM,
                        ["--config=configs/translation.py:smoke", f"--workdir={folder}"])
    assert ended.value.code == 0
    return folder


def test_a_run_leaves_its_files(run):
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "finished" and result["steps"] == 6
    assert {"dev_bleu", "test_bleu", "bleu_signature", "test_chrf", "train_seconds", "parameters",
            "dev_sense_accuracy", "dev_agreement_accuracy"} <= set(result)
    for name in ("config.json", "run.json", "metrics.jsonl", "timing.jsonl", "tokenizer.json",
                 "predictions.tsv", "attention.npz", "attention.png", "curves.png"):
        assert (run / name).stat().st_size > 0, name
    assert len((run / "predictions.tsv").read_text().splitlines()) == 17
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 3, 4, 5, 6, 6]


def test_a_finished_run_scores_as_it_did(run):
    read = load(run)
    task = translation.build(read.run.config, run)
    scores = task.score(read.params, split(read.run.config)[1], "test", True)
    assert scores.numbers["test_chrf"] == read.run.result["test_chrf"]


def test_padding_does_not_change_a_translation(run):
    read = load(run)
    alone = read.translator.translate(read.params, ["the dog sees a cat ."]).texts
    beside = read.translator.translate(read.params, ["the dog sees a cat .", "the cat " * 9]).texts
    assert alone[0] == beside[0] and len(beside) == 2


def test_parameters_are_counted():
    shapes = jax.eval_shape(translation.build(get_config("smoke")).init, jax.random.key(0))
    assert parameter_count(shapes) == 15872


def test_what_never_ends_is_counted_and_long_sources_have_room(run):
    read = load(run)
    translator = read.translator
    assert translator.translate(read.params, []) == ([], 0)
    assert [translator._limit(length) for length in (16, 17, 32, 33)] == [16, 32, 32, 48]
    # A last norm of zeros makes all logits 0 but for its bias, which is turned away from the end mark.
    params = jax.tree.map(jnp.array, read.params)
    params["decoder_norm"] = {"scale": 0 * params["decoder_norm"]["scale"],
                              "bias": -params["embedding"][EOS]}
    assert translator.translate(params, ["the dog sees ."] * 3, beam=1).cut == 3
    params["decoder_norm"]["bias"] = 100 * params["embedding"][EOS]
    assert translator.translate(params, ["the dog sees ."] * 3, beam=1) == ([""] * 3, 0)


def test_text_that_changes_has_another_digest():
    a, b = Pairs(["x", "y"], ["u", "v"]), Pairs(["x y"], ["u v"])
    assert sources.digest({"train": a}) == sources.digest({"train": a})
    assert len({sources.digest(c) for c in ({"train": a}, {"dev": a}, {"train": b})}) == 3


@pytest.mark.parametrize("target, select", [("{}", "dev_chrf"), ("le mot {} .", "dev_bleu")])
def test_bleu_selects_where_it_can_be_positive(tmp_path, target, select):
    words = [f"w{i}" for i in range(40)]
    (tmp_path / "pairs.tsv").write_text("".join(f"{word}\t{target.format(word)}\n" for word in words))
    config = replace(get_config("tsv,smoke"), {
        "data.path": str(tmp_path / "pairs.tsv"), "data.dev_size": 8, "data.test_size": 8})
    task = translation.build(config)
    assert task.select == (select, 1.0)
    assert sum("is selected by dev_chrf" in notice for notice in task.notices) == (select == "dev_chrf")


@pytest.mark.parametrize("positions, words, most", [("learned", 600, 512), ("sinusoidal", 20000, 10000)])
def test_lines_beyond_what_can_be_scored_are_told_before_training(monkeypatch, positions, words, most):
    train = Pairs(["a b c d"] * 16, ["u v w x"] * 16)
    held = Pairs(["a b", "a " * words + "b", "a c", "d"], ["u v", "u", "u w", "x " * words])
    monkeypatch.setattr(sources, "load", lambda data, splits: {"train": train, "dev": held, "test": held})
    config = replace(get_config("smoke"), {"model.positions": positions, "decoding.beam": 2})
    task = translation.build(config)
    told = [notice for notice in task.notices if "tokens" in notice]
    assert [line.split(":")[0] for line in told] == ["dev", "test", "dev"]
    assert all("1 of 4 pairs with more than" in line and 'number 2, "a a a' in line for line in told[:2])
    assert told[2].startswith("dev: 1 reference of more than")
    batches = list(task.dev_batches())
    assert sum((batch["example"] >= 0).sum() for batch in batches) == 2
    assert max(batch["source"].shape[1] for batch in batches) <= most
    params = task.init(jax.random.key(0))
    scores = task.score(params, split(config)[1], "test", True)
    assert [row["source"] for row in scores.predictions] == ["a b", "a c", "d"]
    assert task.facts["sha256"] == sources.digest({"train": train, "dev": held, "test": held})
