"""Planned looks: what is kept beside the runs, and what binds those who compare them later."""

import json

import numpy as np
import pytest

import attention_lab
from attention_lab.config import Config, replace
from attention_lab.storage import runs
from attention_lab.sweeps import arms, looks
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.space import axis, product

SCALES = axis("attention.scale", [1.0, "inverse_sqrt"])


def groups(most=12, scales=SCALES):
    return plan(Config(), product(scales, axis("seed", range(most))))


def planned(most=12, seeds="8..12", scales=SCALES, **changes):
    asked = {"metric": "test_bleu", "reference": "", "margin": None} | changes
    return looks.planned(groups(most, scales), seeds, **asked)


@pytest.fixture
def plant(tmp_path):
    """plant(seeds, differences, most) -> finished runs of two arms in tmp_path."""
    def make(seeds, differences, most=12, status="finished"):
        for cell in (cell for group in groups(most) for cell in group.cells):
            if cell.config.seed in seeds:
                higher = cell.config.attention.scale == "inverse_sqrt"
                run = runs.open_run(cell.folder(tmp_path), cell.config, "sweep")
                score = 30.0 + (differences[cell.config.seed] if higher else 0.0)
                run.finish({"status": status} | ({"test_bleu": score} if status == "finished" else {}))
                run.close()
    return make


def compared(folder, **arguments):
    result = attention_lab.compare(folder, "attention.scale", "test_bleu", reference="1", **arguments)
    return result, *result.contrasts


def test_of_400_null_comparisons_over_looks_at_most_29_are_rejected(plant, tmp_path, monkeypatch):
    """What `compare` says at each look, of 12 seeds whose scores are drawn anew 400 times."""
    looks.keep(planned(), tmp_path)
    plant(range(12), [0.0] * 12)
    read = arms.read([tmp_path], ["attention.scale"], "test_bleu")
    rng, rejected = np.random.default_rng(0), 0
    for _ in range(400):
        drawn = {label: dict(enumerate(rng.normal(size=12))) for label in read.runs}
        for look in (8, 10, 12):
            now = read._replace(**{name: {label: {seed: x for seed, x in by_seed.items() if seed < look}
                                          for label, by_seed in each.items()}
                                   for name, each in (("runs", read.runs), ("scores", drawn))})
            monkeypatch.setattr(arms, "read", lambda *arguments: now)
            if compared(tmp_path)[1].decided:
                rejected += 1
                break
    assert 0 < rejected <= 29


def test_p_and_interval_are_those_of_the_looks_that_were_reached(plant, tmp_path):
    looks.keep(planned(), tmp_path)
    strong = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, -40.0, -40.0, -40.0, -40.0]
    plant(range(7), strong)
    _, before = compared(tmp_path)
    assert (before.p, before.reached, before.verdict) == (1.0, 0, "undecided")
    assert np.isinf(before.interval.high)
    assert before.sentence("test_bleu").endswith("the next look is at 8 seeds")
    plant({7}, strong)
    _, first = compared(tmp_path)
    assert first.p == pytest.approx(2 / 256 / (8 / 12)) and first.verdict == "higher" and first.needed is None
    assert "look 1 of 3, at 8, 10 and 12 seeds" in first.sentence("test_bleu")
    assert first.interval[2] == 0.95 and first.interval.low >= 1.0
    plant({8}, strong)
    result, between = compared(tmp_path)
    assert between == first and result.notices == [
        "attention.scale=inverse_sqrt is compared without seed 8: the plan looks at 8, 10 and 12 seeds"]
    plant({9, 10, 11}, strong)
    _, last = compared(tmp_path)
    assert last.seeds == tuple(range(12)) and last.p == first.p and last.mean < 0
    assert result.sentences()[0].endswith("(looks planned before the runs)")
    assert result.sentences("abc")[0].endswith("(declared, hash abc)")


def test_an_effect_that_full_error_rate_would_show_may_stay_open(plant, tmp_path):
    differences = [0.1, -0.2, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    plant(range(8), differences, most=16)
    assert compared(tmp_path)[1].verdict == "higher"  # p = 6 / 256 without a plan
    plan16 = planned(16, "8..16")
    (tmp_path / "looks-x.json").write_text(json.dumps(
        looks._plain(plan16) | {"hash": looks.short_digest(looks._plain(plan16))}))
    _, contrast = compared(tmp_path)
    assert contrast.p == pytest.approx(6 / 256 / 0.5) and contrast.verdict == "higher"
    looks_more = planned(24, "8..24")
    (tmp_path / "looks-x.json").write_text(json.dumps(
        looks._plain(looks_more) | {"hash": looks.short_digest(looks._plain(looks_more))}))
    _, contrast = compared(tmp_path)
    assert contrast.p == pytest.approx(3 * 6 / 256) and contrast.verdict == "undecided"
    assert "; all looks" not in contrast.sentence("test_bleu")


def test_equality_spends_its_share_too(plant, tmp_path):
    near = [0.1, -0.1, 0.2, -0.2, 0.1, 0.0, 0.1, -0.1]
    plant(range(8), near)
    _, free = compared(tmp_path, margin=0.3)
    for path in tmp_path.glob("*/result.json"):
        path.unlink()
    looks.keep(planned(), tmp_path)
    plant(range(8), near)
    _, bound = compared(tmp_path, margin=0.3)
    assert bound.p_equal == pytest.approx(free.p_equal / (8 / 12))


def test_seeds_beyond_the_plan_do_not_count_and_seeds_without_a_plan_are_free(plant, tmp_path):
    looks.keep(planned(), tmp_path)
    plant(range(20), [1.0] * 12 + [-9.0] * 8, most=20)
    result, contrast = compared(tmp_path)
    assert contrast.seeds == tuple(range(12)) and contrast.mean == pytest.approx(1.0)
    assert "without seeds 12, 13, 14, 15, 16, 17, 18 and 19: the plan" in result.notices[0]
    _, later = compared(tmp_path, seeds=range(12, 20))
    assert later.looks == () and later.p == 2 / 256 and later.verdict == "lower"


def test_a_look_of_which_all_runs_diverged_is_no_look(plant, tmp_path):
    looks.keep(planned(), tmp_path)
    plant(range(7), [1.0] * 12, status="diverged")
    plant(range(7, 9), [1.0] * 12)
    _, contrast = compared(tmp_path)
    assert contrast.p == 1.0 and contrast.seeds == (7, 8) and contrast.reached == 1


def test_a_plan_stays_as_it_was(plant, tmp_path):
    path = looks.keep(planned(), tmp_path)
    plant(range(8), [1.0] * 12)
    assert looks.keep(planned(), tmp_path) == path
    for other, words in [
            (planned(16, "8..16"), r"plans looks \[8, 10, 12\], not \[8, 12, 16\]"),
            (planned(metric="test_chrf"), "plans metric 'test_bleu', not 'test_chrf'"),
            (planned(margin=1.0), "plans margin None, not 1.0"),
            (planned(scales=[*SCALES, {"attention.scale": 2.0}]), "plans other runs: what was planned")]:
        with pytest.raises(ValueError, match=words):
            looks.keep(other, tmp_path)
    path.write_text(path.read_text().replace("12", "13"))
    with pytest.raises(ValueError, match="was changed after it was written"):
        compared(tmp_path)


def test_looks_come_before_results_and_of_two_plans_none_counts(plant, tmp_path):
    plant({3}, [1.0] * 12)
    with pytest.raises(ValueError, match="is finished already: looks are planned before there are results"):
        looks.keep(planned(), tmp_path)
    for one in (planned(), planned(16, "8..16")):
        content = looks._plain(one)
        (tmp_path / f"looks-{one.looks[1]}.json").write_text(json.dumps(
            content | {"hash": looks.short_digest(content)}))
    plant({2}, [1.0] * 12)
    with pytest.raises(ValueError, match="were looked at by two plans"):
        compared(tmp_path)


@pytest.mark.parametrize("change, words", [
    ({"seeds": "8..x"}, "--seeds=8..x: 8..16 .at least 8 seeds, at most 16. is the spelling"),
    ({"seeds": "8..8"}, "is the spelling, with at least 6 and then more"),
    ({"seeds": "5..12"}, "with at least 6 and then more"),
    ({"scales": SCALES[:1]}, "compares arms: give two values"),
    ({"seeds": "6..16", "most": 16}, "6 seeds can't decide between 2 arms at a first look that may spend "
     "0.019 of 0.05: --seeds=7..16 can"),
    ({"scales": axis("attention.scale", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])},
     "between 6 arms .*--seeds=9..12 can"),
])
def test_plans_that_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        planned(**change)


def test_arms_on_different_data_are_refused():
    base = replace(Config(), {"data.source": "tsv"})
    on_files = plan(base, product(axis("data.path", ["a", "b"]), axis("seed", range(12))))
    with pytest.raises(ValueError, match="--sweep=config.data.path: runs on different data can't be paired"):
        looks.planned(on_files, "8..12", "test_bleu", "", None)
