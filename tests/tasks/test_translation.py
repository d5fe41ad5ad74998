"""The translation task from data to scores, on a corpus that takes seconds."""

import json

import jax
import pytest

from attention_lab.config import split
from attention_lab.tasks import finished, translation
from attention_lab.training import loop
from configs.translation import get_config
from experiments import train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    with pytest.raises(SystemExit) as ended:
        train.flags.run(train.main, "train", "", train.FLAGS,
                        argv=["--config=configs/translation.py:smoke", f"--workdir={folder}"])
    assert ended.value.code == 0
    return folder


def test_a_run_leaves_its_files(run):
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "finished" and result["steps"] == 6
    assert {"dev_bleu", "test_bleu", "bleu_signature", "test_chrf", "train_seconds", "parameters",
            "dev_sense_accuracy", "dev_agreement_accuracy"} <= set(result)
    for name in ("config.json", "run.json", "metrics.jsonl", "timing.jsonl", "tokenizer.json",
                 "predictions.tsv", "attention.npz", "attention.png"):
        assert (run / name).stat().st_size > 0, name
    assert len((run / "predictions.tsv").read_text().splitlines()) == 17
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 3, 4, 5, 6, 6]


def test_a_finished_run_scores_as_it_did(run):
    read = finished.load(run)
    built = translation.build(read.run.config, run)
    scores = built.task.score(read.params, split(read.run.config)[1], "test", True)
    assert scores.numbers["test_chrf"] == read.run.result["test_chrf"]


def test_padding_does_not_change_a_translation(run):
    read = finished.load(run)
    alone = read.translator.translate(read.params, ["the dog sees a cat ."])
    beside = read.translator.translate(read.params, ["the dog sees a cat .", "the cat " * 9])
    assert alone[0] == beside[0] and len(beside) == 2


def test_parameters_are_counted():
    built = translation.build(get_config("smoke"))
    shapes = jax.eval_shape(built.task.init, jax.random.key(0))
    assert loop.parameter_count(shapes) == 15872
