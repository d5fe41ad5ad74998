"""Arms over paired seeds: verdicts on planted scores, and runs that can't be compared."""

import dataclasses

import numpy as np
import pytest

import attention_lab
from attention_lab.config import Config, replace
from attention_lab.storage import predictions, runs
from attention_lab.sweeps import declared, sentences

NOISE = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, -2.0]


@pytest.fixture
def plant(tmp_path):
    """(number, result or score, **fields) -> a finished run in the folder that `plant.folder` names."""
    def make(seed, score, status="finished", sha256="a", rows=(), **fields):
        overrides = {key.replace("__", "."): value for key, value in fields.items()}
        config = replace(Config(), {"seed": seed, **overrides})
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        run = runs.open_run(folder, config, "train")
        run.note({"data": {"sha256": sha256}})
        predictions.write(folder / "predictions.tsv", rows)
        if score is not False:
            run.finish({"status": status} | ({} if score is None else {"test_bleu": score}))
        run.close()
        return folder
    make.folder = tmp_path
    return make


def arms(plant, differences, **fields):
    for seed, difference in enumerate(differences):
        plant(seed, 30.0 + NOISE[seed % 8], attention__scale=1.0, **fields)
        plant(seed, 30.0 + NOISE[seed % 8] + difference, attention__scale="inverse_sqrt", **fields)


def compared(plant, **arguments):
    result = attention_lab.compare(plant.folder, "config.attention.scale", "test_bleu", **arguments)
    contrast, = result.contrasts
    return result, contrast


@pytest.mark.parametrize("differences, arguments, verdict", [
    ([2.0, 3.0, 2.5, 1.5, 4.0, 2.2], {}, "higher"),
    ([2.0, 3.0, 2.5, 1.5, 4.0, 2.2], {"reference": "inverse_sqrt"}, "lower"),
    ([2.0, 3.0, 2.5, 1.5, 4.0, 2.2], {"reference": "1.0", "margin": 9.0}, "higher"),
    ([2.0, 3.0, 2.5, 1.5, 4.0, 2.2], {"direction": "greater"}, "supported"),
    ([2.0, 3.0, 2.5, 1.5, 4.0, 2.2], {"direction": "less"}, "refuted"),
    ([2.0, 3.0, 2.5, 1.5, 4.0], {}, "undecided"),  # five seeds can't reach p < 0.05
    ([0.1, -0.1, 0.2, -0.2, 0.1, 0.0], {"margin": 1.0}, "equal"),
    ([0.1, -0.1, 0.2, -0.2, 0.1, 0.0], {}, "undecided"),
    ([0.1, -0.1, 0.2, -0.2, 0.1, 0.0], {"margin": 1.0, "direction": "greater"}, "refuted"),
    ([5.0, -5.0, 4.0, -3.0, 2.0, 1.0], {"margin": 1.0, "direction": "greater"}, "inconclusive"),
])
def test_verdicts(plant, differences, arguments, verdict):
    arms(plant, differences)
    result, contrast = compared(plant, **{"reference": "1", **arguments})
    sign = -1 if arguments.get("reference") == "inverse_sqrt" else 1
    assert contrast.verdict == verdict and contrast.seeds == tuple(range(len(differences)))
    assert contrast.mean == pytest.approx(sign * np.mean(differences))
    assert contrast.decided == (contrast.needed is None) or contrast.needed > len(differences)
    words = contrast.sentence("test_bleu", arguments.get("margin"), arguments.get("direction", ""))
    assert ("is claimed to be" in words) == ("direction" in arguments)
    assert f"{contrast.mean:+.4g}" in words and f"{len(differences)} paired seeds" in words


def test_several_arms_are_corrected_by_holm(plant):
    differences = [2.0, 3.0, 2.5, 1.5, 4.0, 2.2]
    arms(plant, differences)
    for seed in range(6):
        plant(seed, 30.0 + NOISE[seed] - 1.0, attention__scale=0.5)
    first, second = attention_lab.compare(
        plant.folder, "attention.scale", "test_bleu", reference="1").contrasts
    assert (first.arm, second.arm) == ("attention.scale=0.5", "attention.scale=inverse_sqrt")
    assert first.p == second.p == 2 * 2 / 64 and first.verdict == second.verdict == "undecided"


def test_seeds_without_a_partner_and_runs_without_a_score_are_told(plant):
    arms(plant, [2.0, 3.0, 2.5, 1.5])
    plant(7, 31.0, attention__scale=1.0)
    diverged = plant(8, None, status="diverged", attention__scale=1.0)
    unfinished = plant(9, False, attention__scale=1.0)
    result, contrast = compared(plant, reference="1")
    assert contrast.seeds == (0, 1, 2, 3) and result.notices == [
        f"{unfinished} is unfinished and left out",
        f"{diverged} (attention.scale=1, seed 8) diverged without test_bleu and is left out",
        "seed 7 has attention.scale=1 alone and is left out"]
    assert [(arm["arm"], arm["seeds"]) for arm in result.summary()] == [
        ("attention.scale=1", 5), ("attention.scale=inverse_sqrt", 4)]


def test_other_fields_that_differ_are_refused_or_chosen_by_where(plant):
    arms(plant, [2.0, 3.0])
    arms(plant, [1.0, 1.0, 1.0], model__num_layers=3)
    with pytest.raises(ValueError, match="model.num_layers differs between the runs .*--where=config.model"):
        compared(plant)
    _, contrast = compared(plant, where={"config.model.num_layers": "3"})
    assert contrast.differences == (-1.0,) * 3 or contrast.differences == (1.0,) * 3
    result = attention_lab.compare(plant.folder, ["attention.scale", "model.num_layers"], "test_bleu")
    assert len(result.contrasts) == 3


@pytest.mark.parametrize("change, words", [
    (lambda plant: plant(0, 31.0, attention__scale=1.0), "are both attention.scale=1 with seed 0"),
    (lambda plant: plant(5, 31.0, attention__scale=1.0, sha256="b"), "different content of their data"),
])
def test_runs_that_are_no_replicates(plant, change, words):
    arms(plant, [2.0, 3.0])
    change(plant)
    with pytest.raises(ValueError, match=words):
        compared(plant)


@pytest.mark.parametrize("arguments, words", [
    ({"arms": "model.num_layers", "where": {"attention.scale": "1.0"}},
     "--arms=model.num_layers: all 2 runs have model.num_layers="),
    ({"arms": "attention.scal"}, "attention.scal is not a field of the config; did you mean attention.scale"),
    ({"arms": "seed"}, "seeds are what arms are paired by"),
    ({"metric": "test_blue"}, "--metric=test_blue is in no result.json: there are test_bleu; did you mean"),
    ({"margin": -1.0}, "--margin=-1.0: a number above 0"),
    ({"margin": float("nan")}, "--margin=nan: a number above 0"),
    ({"direction": "greatr"}, "allowed are greater and less; did you mean greater"),
    ({"reference": "2"}, "--reference=2 is no arm: there are 1, inverse_sqrt"),
    ({"where": {"seed": "0"}}, "share 1 seed with test_bleu; at least 2"),
    ({"where": {"seed": "5"}}, "no finished run with seed=5"),
    ({"seeds": [0, 1, 2]}, "has no finished run of the declared seeds 2"),
])
def test_what_is_refused(plant, arguments, words):
    arms(plant, [2.0, 3.0])
    with pytest.raises(ValueError, match=words):
        attention_lab.compare(plant.folder, **{"arms": "attention.scale", "metric": "test_bleu"} | arguments)


def test_test_sentences_add_their_noise_where_predictions_are_kept(plant):
    reference = ["the dog sees a cat today", "a cat sees the dog now", "we see the old bank there"]
    wrong = ["a bank"] * 3

    def rows(texts):
        return [{"source": f"s {i}", "reference": text, "translation": other}
                for i, (text, other) in enumerate(zip(reference, texts))]
    for seed in range(3):
        right = rows([*reference[:2], wrong[2]])
        plant(seed, 78.25, attention__scale=1.0, rows=right)
        plant(seed, 100.0, attention__scale="inverse_sqrt", rows=rows(reference))
    _, contrast = compared(plant, reference="1")
    assert contrast.sentences is None  # 78.25 is not what the predictions score
    counts, of_sums, _ = sentences.SCORES["bleu"]
    score = float(of_sums(counts(right, "tokenized").sum(0)))
    for folder in plant.folder.iterdir():
        result = runs.load_run(folder).result
        if result["test_bleu"] == 78.25:
            (folder / "result.json").write_text(f'{{"status": "finished", "test_bleu": {score}}}')
    _, contrast = compared(plant, reference="1")
    assert 0 <= contrast.sentences.low < contrast.mean < contrast.sentences.high


def test_a_declaration_comes_before_the_runs_and_is_kept_to(plant):
    asked = declared.Question(("attention.scale",), "test_bleu", "1", "greater")
    made = declared.declare(asked, "0:2", [plant.folder, plant.folder / "none"])
    assert declared.checked(made, asked, "file") == made and made["seeds"] == [0, 1]
    with pytest.raises(ValueError, match="--metric: file declares 'test_bleu', given is 'test_chrf'"):
        declared.checked(made, declared.Question(("attention.scale",), "test_chrf", "1", "greater"), "file")
    with pytest.raises(ValueError, match="was changed after it was declared"):
        declared.checked(made | {"seeds": [0, 1, 2]}, asked, "file")
    arms(plant, [2.0, 3.0, 4.0])
    result, contrast = compared(plant, reference="1", seeds=made["seeds"])
    assert contrast.seeds == (0, 1)
    with pytest.raises(ValueError, match="a declaration comes before the runs"):
        declared.declare(asked, "2:5", [plant.folder])
    for changed, words in (({"direction": "up"}, "--direction=up: allowed are greater and less"),
                           ({"arms": ("attention.scal",)}, "is not a field"),
                           ({"margin": -1.0}, "--margin=-1.0")):
        with pytest.raises(ValueError, match=words):
            declared.declare(dataclasses.replace(asked, **changed), "5:9", [plant.folder])
    with pytest.raises(ValueError, match="needs at least two seeds"):
        declared.declare(asked, "5", [plant.folder])
