"""Studies of recurrent networks beside the Transformer: matched sizes, and claims judged as planted."""

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config import replace, split
from attention_lab.config.rules import check
from attention_lab.data import batching
from attention_lab.studies.recipes import alignment_errors, architectures, lengths
from attention_lab.training.state import parameter_count
from configs.echo import get_config as get_echo
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

ARCHITECTURES = {name: study(name) for name in (
    "alignment", "head_ablation", "recurrent_multi30k", "sentence_length")}
ALIGNMENT, HEADS, CAPTIONS, LENGTH = ARCHITECTURES.values()
ALIBI, TRAINED = study("alignment_alibi"), study("signal_decay_trained")
sentence_length, head_ablation, signal_decay_trained = (module(name) for name in (
    "sentence_length", "head_ablation", "signal_decay_trained"))


def config_of(study, arm, preset="cpu"):
    settings = study.settings(preset, "somewhere")
    return replace(get_config(settings["variant"]), study.overrides({"arm": arm, "seed": 3}, settings, []))


@pytest.mark.parametrize("preset", ["cpu", "accelerator"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_sizes_without_embeddings_agree_to_five_percent(name, preset):
    study, counts = ARCHITECTURES[name], {}
    for arm in study.presets[preset]["arms"]:
        config = config_of(study, arm, preset)
        check(config)
        params = jax.eval_shape(models.build(split(config)[0], 50).init, jax.random.key(0))
        counts[arm] = parameter_count({name: leaf for name, leaf in params.items() if name != "embedding"})
    assert "transformer" in counts
    for arm, count in counts.items():
        assert count == pytest.approx(counts["transformer"], rel=0.05), (arm, counts)


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_two_arms_are_one_network(name, preset):
    study = ARCHITECTURES[name]
    arms = study.presets[preset]["arms"]
    configs = {arm: config_of(study, arm, preset) for arm in arms}
    assert len({(one.model, one.attention) for one in configs.values()}) == len(arms)
    for arm, config in configs.items():
        assert config.model.reverse_source == arm.endswith("reversed")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_smoke_is_of_configs_that_build(name):
    for arm in ARCHITECTURES[name].presets["smoke"]["arms"]:
        check(config_of(ARCHITECTURES[name], arm, "smoke"))


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_every_arm_echoes(preset):
    settings = TRAINED.settings(preset)
    for arm in signal_decay_trained.ARMS:
        changed = signal_decay_trained.overrides({"arm": arm, "distance": 5, "seed": 0}, settings, [])
        check(replace(get_echo(settings["variant"]), changed))


LENGTHS = (5, 20, 60, 120)


def by_length(bleu, first, last={"else": (1, 0.9, 0.8, 0.7)}):
    """Rows of every arm: BLEU, first and last words at each of LENGTHS, a wobble for each seed."""
    return [{"arm": arm, "seed": seed, "trained_words": 60,
             "lengths": np.array(LENGTHS),
             **{column: np.array(of.get(arm, of["else"])) + 0.001 * seed
                for column, of in (("bleu", bleu), ("first", first), ("last", last))}}
            for arm in architectures.ARMS for seed in range(8)]


def test_sentence_length_judges_what_is_planted():
    rows = by_length({"else": (95, 95, 95, 60), "gru": (95, 60, 30, 5), "gru, reversed": (95, 80, 50, 5),
                      "transformer": (96, 96, 96, 20)},
                     {"else": (1, 1, 0.99, 0.5), "gru": (1, 0.6, 0.4, 0.1),
                      "gru, reversed": (1, 0.9, 0.8, 0.1)})
    found = verdicts(LENGTH, rows)
    assert set(found.values()) == {"supported"}, found
    same = verdicts(LENGTH, by_length({"else": (90, 80, 50, 40)}, {"else": (1, 1, 0.5, 0.4)}))
    assert same["tied_at_short"] == "supported" and same["attention_holds"] == "refuted"
    assert same["first_words_kept"] == "refuted"
    # On the floor from the second length on: all of the slope comes from the first.
    floor = verdicts(LENGTH, by_length({"else": (95, 95, 95, 60), "gru": (32, 5, 6, 5)},
                                       {"else": (1, 1, 1, 1)}))
    assert floor["interaction"] == "supported" and floor["interaction_from_10"] == "refuted"
    assert floor["tied_at_short"] == "refuted"


def test_slopes_are_of_least_squares():
    rows = by_length({"else": (90, 88, 61, 0)}, {"else": (1, 1, 1, 1)})
    found = LENGTH.values(rows)["attention_holds"]
    np.testing.assert_allclose(found, 10 * np.polyfit((5, 20, 60), (90, 88, 61), 1)[0], rtol=1e-6)


def test_test_sentences_are_drawn_anew_for_all_arms_at_once():
    """Arms that differ by the same on every sentence differ by it in every resample."""
    from attention_lab.evaluation.bleu_counts import COLUMNS
    rng = np.random.default_rng(0)
    rows = by_length({"else": (1, 1, 1, 1)}, {"else": (1, 1, 1, 1)})
    shared = rng.integers(0, 2, (len(LENGTHS), 50))
    for row in rows:
        counts = np.tile([9, 8, 7, 6, 9, 8, 7, 6, 9, 9, 0, 3, 1, 3], (*shared.shape, 1)).astype(np.uint16)
        assert counts.shape[-1] == COLUMNS + 4
        counts[..., COLUMNS] = shared + (row["arm"] == "gru, additive")  # of three first words
        row["sentences"] = counts
    found = sentence_length.resampled(rows)
    assert set(found) == {claim.name for claim in LENGTH.claims}
    assert (found["first_words_lost"].low, found["first_words_lost"].high) == pytest.approx((1 / 3, 1 / 3))
    kept = found["first_words_kept"]  # one arm's own share: 1/3 to 2/3, by the sentences that are drawn
    assert kept.low < (1 + shared[2].mean()) / 3 < kept.high and kept.high - kept.low > 0.05
    assert found["tied_at_short"].low == pytest.approx(0.0) == found["attention_holds"].high


def test_captions_judge_what_is_planted():
    def rows(**bleu):
        return [{"arm": arm, "seed": seed, "test_bleu": value + 0.01 * seed} for seed in range(8)
                for arm, value in zip(("gru", "gru, additive", "transformer"), bleu.values())]

    assert set(verdicts(CAPTIONS, rows(a=20.0, b=30.0, c=35.0)).values()) == {"supported"}
    found = verdicts(CAPTIONS, rows(a=20.0, b=24.0, c=23.0))
    assert set(found.values()) == {"refuted"}


def without_heads(points, p):
    """Rows of eight seeds, four layers of two heads a kind: `points` and `p` by kind and layer."""
    def by_head(of):
        return np.array([[[of.get((kind, layer), of["else"])] * 2 for layer in range(4)]
                         for kind in head_ablation.KINDS])

    return [{"arm": "transformer", "seed": seed, "points_lost": by_head(points) + 0.001 * seed,
             "p": by_head(p)} for seed in range(8)]


def test_heads_judge_what_is_planted():
    good = without_heads({("cross", 3): 9.0, ("cross", 2): 4.0, ("encoder", 0): -2.0, "else": 0.1},
                         {("cross", 3): 0.0005, ("encoder", 0): 0.0005, "else": 0.3})
    # Two of 24 heads cost something; two others gain and are none of them.
    costly = head_ablation.costly(good[0])
    assert costly.sum() == 2 and costly[list(head_ablation.KINDS).index("cross"), 3].all()
    found = HEADS.values(good)
    assert found["encoder_heads_idle"][0] == 0.0 and found["most_idle"][0] == pytest.approx(2 / 24)
    assert found["costliest_is_late_cross"][0] == pytest.approx(9.0 - 0.1)
    assert found["cross_costs_more"][0] == pytest.approx((9 + 4 + 0.2) / 4 - (-2 + 0.3) / 4)
    assert found["first_cross_costs_less"][0] == pytest.approx(8.9)
    assert set(verdicts(HEADS, good).values()) == {"supported"}
    bad = without_heads({("encoder", 1): 12.0, ("cross", 0): 9.0, "else": 1.0}, {"else": 0.0005})
    assert set(verdicts(HEADS, bad).values()) == {"refuted"}
    # Holm: 0.003 alone is below 0.05, but not after a correction over 24.
    assert not head_ablation.costly(without_heads({"else": 1.0}, {"else": 0.003})[0]).any()
    figure = HEADS.draw(good, {})
    assert [ax.get_title() for ax in figure.axes[:3]] == list(head_ablation.KINDS.values())


AER = {"selection_predict": 0.4, "aer_predict": 0.4, "selection_input": 0.2, "aer_input": 0.2,
       "mean_input": 0.3, "aer_input_by_value": 0.1,
       "aer_not_trained": 0.8, "aer_diagonal": 0.6, "inversions": 0.9}
PREDICTS = {"selection_predict": 0.1, "aer_predict": 0.1}


def test_alignment_judges_what_is_planted():
    def rows(transformer, other):
        return [{"arm": arm, "seed": seed, **{name: value + 0.001 * seed for name, value in
                                              (transformer if arm == "transformer" else other).items()}}
                for arm in ("gru, additive", "gru, dot", "transformer") for seed in range(8)]

    assert set(verdicts(ALIGNMENT, rows(AER, AER | PREDICTS)).values()) == {"supported"}
    found = verdicts(ALIBI, rows(AER, AER))
    assert set(found.values()) == {"supported"}
    turned = AER | PREDICTS | {"selection_input": 0.7, "aer_input": 0.7, "aer_input_by_value": 0.8,
                               "aer_not_trained": 0.05}
    found = verdicts(ALIGNMENT, rows(turned, AER | {"inversions": 0.2}))
    assert {found[name] for name in ("additive_aligns", "input_beats_predict", "head_beats_mean",
                                     "values_help", "learned", "inversions")} == {"refuted"}


def test_a_step_is_chosen_by_the_half_that_is_not_scored():
    rows = [{"arm": "transformer", "seed": seed, "selection_predict": 0.3, "aer_predict": 0.5,
             "selection_input": selection, "aer_input": 0.1} for seed, selection in enumerate((0.4, 0.2))]
    assert alignment_errors.better_step(rows[::-1], "transformer") == {0: 0.5, 1: 0.1}


def test_steps_to_learn_judge_what_is_planted():
    def rows(steps, accuracy, after):
        return [{"arm": arm, "distance": k, "seed": seed, "accuracy": accuracy.get(arm, 0.3) + 1e-5 * seed,
                 "steps": steps.get(arm, 2000) * (k if "lstm" in arm or arm == "gru" else 1) + seed,
                 "slope_before": -0.5, "slope_after": after - 1e-3 * seed}
                for arm in signal_decay_trained.ARMS for k in (5, 20) for seed in range(8)]

    found = verdicts(TRAINED, rows({"attention": 100, "lstm, bias 1": 50, "lstm, bias 0": 90,
                                    "gru": 60}, {"attention": 0.999}, -0.1))
    assert set(found.values()) == {"supported"}, found
    found = verdicts(TRAINED, rows({"lstm, bias 1": 90, "lstm, bias 0": 50},
                                   {"attention": 0.9, "rnn": 0.8}, -0.9))
    assert found["attention_flat"] == "supported"
    assert {found[name] for name in ("attention_learns_far", "rnn_fails_far", "bias_learns_sooner",
                                     "slope_moves")} == {"refuted"}


def test_sentences_of_a_length_are_none_that_is_trained_on():
    config = get_config("smoke")
    found = lengths.unseen(config.data, 5, 7)
    from attention_lab.data import sources
    train = set(sources.load(config.data, ("train",))["train"].source)
    assert len(found) == 7 and all(one.words == 5 and one.source not in train for one in found)
    np.testing.assert_equal(len({one.source for one in found}), 7)


def test_what_alibi_lacks_is_said_before_anything_is_trained(tmp_path):
    for data, words in (("", "alignment_alibi reads Multi30k"), (tmp_path, "no ali_w2w_FRENCH_ENGLISH.txt")):
        with pytest.raises(ValueError, match=words):
            ALIBI.check(ALIBI.settings("cpu", str(data)))
    cell, settings = {"arm": "transformer", "seed": 3}, ALIBI.settings("smoke")
    ALIBI.check(settings)
    assert ALIBI.overrides(cell, settings, []) == CAPTIONS.overrides(cell, CAPTIONS.settings("smoke"), [])


def test_distances_of_one_length_compile_one_program():
    settings = TRAINED.settings("smoke")
    found = [replace(get_echo(settings["variant"]), signal_decay_trained.overrides(cell, settings, [])).data
             for cell in signal_decay_trained.cells(settings)]
    assert {one.distance for one in found} == {2, 4}
    assert {one.distance + one.answers for one in found} == {7}


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_a_step_has_as_many_sequences_at_every_distance(preset):
    settings = TRAINED.settings(preset)
    found = [replace(get_echo(settings["variant"]), signal_decay_trained.overrides(cell, settings, []))
             for cell in signal_decay_trained.cells(settings)]
    assert {batching.rows(one.data.distance + one.data.answers, one.training.batch_tokens)
            for one in found} == {settings["rows"]}
    assert preset == "smoke" or len({one.data.answers for one in found}) == 1
