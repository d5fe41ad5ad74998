"""A finished language model on its splits and on other text, from the command line."""

import json

import pytest

from experiments import evaluate, train

pytestmark = pytest.mark.once

SMOKE = "--config=configs/language.py:smoke"
TRAINED = [f"the dog {i % 7} sees\n" for i in range(60)]


def scored(call, *command):
    """{name: number} of what evaluate prints."""
    status, out, err = call(evaluate, *command)
    assert status == 0, err
    return {name: float(value) for name, value in (line.split("\t") for line in out.splitlines())}


@pytest.fixture
def run(call, tmp_path):
    """The folder of a run on a text of sixty lines of five tokens each, of which 16 are test and 5 dev."""
    (tmp_path / "text.txt").write_text("".join(TRAINED))
    status, _, err = call(train, SMOKE, f"--config.data.path={tmp_path}/text.txt", "--config.data.dev_size=5",
                          f"--workdir={tmp_path}/run")
    assert status == 0, err
    return tmp_path / "run"


def test_the_splits_of_the_run_have_the_scores_of_training(call, run):
    result = json.loads((run / "result.json").read_text())
    for split, lines in (("dev", 5), ("test", 16)):
        scores = scored(call, f"--run={run}", f"--config.data.split={split}")
        assert (scores["lines"], scores["tokens"]) == (lines, 5 * lines)
        assert scores["lines_seen_in_training"] == lines
        for name in ("perplexity", "bits_per_byte"):
            assert scores[f"{split}_{name}"] == pytest.approx(result[f"{split}_{name}"], rel=1e-5)


def test_another_text_is_scored_whole_and_what_was_seen_is_counted(call, run, tmp_path):
    (tmp_path / "other.txt").write_text("the dog 1 sees\na cat\n\n")
    scores = scored(call, f"--run={run}", f"--config.data.path={tmp_path}/other.txt")
    assert (scores["lines"], scores["lines_seen_in_training"]) == (3, 1)
    assert (scores["tokens"], scores["tokens_never_seen_in_training"]) == (5 + 3 + 1, 2)
    # The text that the run was trained on, elsewhere, is known by its content: its test split is scored.
    (tmp_path / "copy.txt").write_text("".join(TRAINED))
    assert scored(call, f"--run={run}", f"--config.data.path={tmp_path}/copy.txt")["lines"] == 16
    (tmp_path / "copy.txt").write_text("".join(TRAINED[1:]))
    assert scored(call, f"--run={run}", f"--config.data.path={tmp_path}/copy.txt")["lines"] == 59


def test_what_cannot_be_scored_is_one_line(call, run, tmp_path):
    status, _, err = call(evaluate, f"--run={run}", "--lengths=1-3")
    assert status == 2 and err.endswith("run is a language model; translations are scored by length\n")
    (tmp_path / "bad.txt").write_text("no end")
    status, _, err = call(evaluate, f"--run={run}", f"--config.data.path={tmp_path}/bad.txt")
    assert status == 2 and "has no line end" in err and err.count("\n") == 1
    status, _, err = call(evaluate, f"--run={run}", "--config.data.source=grammar")
    assert status == 2 and "model.kind=encoder does not fit data.source=grammar" in err
    (tmp_path / "text.txt").write_text("another text\n" * 60)
    status, _, err = call(evaluate, f"--run={run}")
    assert status == 2 and "was changed after" in err


@pytest.mark.parametrize("source", ["text", "facts"])
def test_generated_sentences_are_scored_again(call, tmp_path, source):
    sizes = ["--config.data.people=10", "--config.data.train_size=50"] if source == "facts" else []
    status, _, err = call(train, SMOKE, f"--config.data.source={source}", *sizes, f"--workdir={tmp_path}/run")
    assert status == 0, err
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    scores = scored(call, f"--run={tmp_path}/run")
    assert scores["test_perplexity"] == pytest.approx(result["test_perplexity"], rel=1e-5)
    assert ("test_excess" in scores) == (source == "text") and "lines" not in scores
    other = scored(call, f"--run={tmp_path}/run", "--config.data.corpus_seed=7")
    assert other["test_perplexity"] != pytest.approx(result["test_perplexity"], rel=1e-5)
