"""The parallelism study: a cell is measured, exponents and ratios by hand, planted claims are judged."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tests.experiments.loaded import module, study, verdicts

STUDY, PARALLEL = study("parallelism"), module("parallelism")
# Exponent and factor of each layer's time, memory and time of a token.
PLANTED = {"gru": (1.0, 4.0, 1.0, 0.0), "attention": (2.0, 0.01, 2.0, 1.0),
           "blockwise": (2.0, 0.005, 1.0, 1.0), "linear": (1.0, 1.0, 1.0, 0.0)}


def planted(of=PLANTED, seeds=10):
    rows = []
    for seed in range(seeds):
        for length in STUDY.settings("cpu")["lengths"]:
            row, wobble = {"seed": seed, "length": length, "device": "a machine"}, 1 + 0.001 * (seed - 4.5)
            for arm, (exponent, factor, memory, token) in of.items():
                time = wobble * factor * length ** exponent
                row |= {f"{arm}_forward": time / 3, f"{arm}_gradients": time,
                        f"{arm}_temporary": 64.0 * length ** memory, f"{arm}_depth": 0,
                        f"{arm}_token": wobble * (0.5 + (length / 256 if token else 0))}
            rows.append(row)
    return rows


def test_claims_are_judged_by_what_is_planted():
    assert set(verdicts(STUDY, planted()).values()) == {"supported"}
    other = verdicts(STUDY, planted({"gru": (1.5, 0.03, 1.0, 1.0), "attention": (1.0, 1.0, 1.0, 0.0),
                                     "blockwise": (1.0, 0.001, 2.0, 0.0), "linear": (2.0, 1.0, 1.0, 1.0)}))
    assert set(other.values()) == {"refuted"}


def test_lengths_that_an_arm_lacks_are_left_out():
    rows = planted(seeds=1)
    for row in rows:
        if row["length"] > 512:
            row |= {name: None for name in row if name.startswith("attention_")}
    assert PARALLEL.slope_from(rows, "attention", "gradients", 1024) == {0: pytest.approx(2.0)}
    ratio, = PARALLEL.ratio_at(rows, "attention", "gru", "gradients", PARALLEL.LONGEST).values()
    assert ratio == pytest.approx(math.log2(0.01 * 512 / 4))


def test_attention_and_a_gru_cross_where_their_times_are_equal():
    """0.01 n^2 = 4 n at n = 400; where attention is always sooner there is no crossing."""
    assert PARALLEL.crossing(planted(seeds=1), "attention", "gru", "gradients") == {0: pytest.approx(400.0)}
    sooner = planted(PLANTED | {"attention": (1.0, 0.01, 1.0, 0.0)}, 1)
    assert np.isnan(PARALLEL.crossing(sooner, "attention", "gru", "gradients")[0])


def test_slopes_are_of_long_sequences_and_of_the_last_two_without():
    """As the length up to 512, as its square beyond; a layer that ends at 512 has its last two alone."""
    rows = planted({"gru": (1.0, 1.0, 1.0, 0.0), "attention": (1.0, 1.0, 1.0, 0.0)}, seeds=1)
    for row in rows:
        row["gru_gradients"] = max(1.0, row["length"] / 512) * row["length"]
        row["attention_gradients"] = None if row["length"] > 512 else max(256, row["length"])
    assert PARALLEL.slope_from(rows, "gru", "gradients", 1024) == {0: pytest.approx(2.0)}
    assert PARALLEL.slope_from(rows, "attention", "gradients", 1024) == {0: pytest.approx(1.0)}


def test_the_last_crossing_counts_and_none_after_which_attention_is_sooner_again():
    """Ratios 0.5, 2, 0.5, 2: the last pair is crossed halfway between their logarithms."""
    rows = planted(seeds=1)[:4]
    for row, ratio in zip(rows, (0.5, 2.0, 0.5, 2.0)):
        row |= {"gru_gradients": 1.0, "attention_gradients": ratio}
    assert PARALLEL.crossing(rows, "attention", "gru", "gradients") == {0: pytest.approx(128 * 2 ** 0.5)}
    assert np.isnan(PARALLEL.crossing(rows[:3], "attention", "gru", "gradients")[0])


def test_the_interval_of_a_crossing_resamples_blocks():
    """Crossings at 400 times 0.8 to 1.25; the median's interval lies inside their range and holds it."""
    rows = planted()
    for row in rows:
        row["attention_gradients"] *= 1.25 ** (row["seed"] / 4.5 - 1)  # 0.01 n^2 x = 4 n at n = 400 / x
    middle, (low, high, level) = PARALLEL.crossing_interval(rows, "attention", "gru", "gradients")
    assert middle == pytest.approx(400.0, rel=0.01) and level == 0.95
    assert 320 < low < 395 and 405 < high < 500
    for row in rows:
        if row["seed"] == 9:
            row["attention_gradients"] *= 0.05  # one block crosses at 6,400: a median does not follow
    assert PARALLEL.crossing_interval(rows, "attention", "gru", "gradients")[1].high < 700
    for row in rows:
        if row["seed"] == 3:
            row["attention_gradients"] = 0.001 * row["length"]  # always sooner
    assert PARALLEL.crossing_interval(rows, "attention", "gru", "gradients") is None


def test_exponents_have_intervals_over_blocks():
    """Half of the blocks have the exponent 0.9, half 1.1: intervals of the mean hold 1, not 0.9."""
    rows = planted()
    for row in rows:
        row["gru_gradients"] = row["length"] ** (0.9 + 0.2 * (row["seed"] % 2))
    found = STUDY.resampled(rows)
    assert found["gru_in_order"].low == pytest.approx(0.94, abs=0.015)
    assert found["gru_in_order"].high == pytest.approx(1.06, abs=0.015)
    assert found["attention_squared"] == pytest.approx((2.0, 2.0, 0.95))
    assert set(found) == {"gru_in_order", "attention_squared", "linear_as_length", "memory_squared",
                          "memory_of_blocks", "token_of_gru", "token_of_linear"}


def test_the_figure_says_where_they_cross():
    figure = STUDY.draw(planted(), STUDY.settings("cpu"))
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [["400 (400 to 400)"]] * 2 + [[]] * 4


def test_times_are_medians_of_rounds_and_of_a_token_of_a_sequence(monkeypatch):
    """Rounds of 1, 2 and 9 s; what would hold too many weights is left out; inputs are fresh each time."""
    made, drawn = [], []

    def timed(ways, inputs, rounds):
        drawn.extend(inputs(number)[0] for number in range(-1, rounds))
        return {name: [9.0, 1.0, 2.0] for name in ways}

    def programs(arm, D, H, length):
        made.append(arm)
        sizes = {"forward": 10, "gradients": 20, "token": 30}
        return {"depth": 5} | {name: SimpleNamespace(memory_analysis=lambda size=size: SimpleNamespace(
            temp_size_in_bytes=size)) for name, size in sizes.items()}

    monkeypatch.setitem(PARALLEL.measure.__globals__, "interleaved", timed)
    monkeypatch.setitem(PARALLEL.measure.__globals__, "_programs", programs)
    monkeypatch.setitem(PARALLEL.measure.__globals__, "MOST_BYTES", 4 * 2 * 8 ** 2)
    settings = {"width": 4, "heads": 2, "rounds": 3}
    row = PARALLEL.measure({"seed": 1, "length": 8}, settings, None)
    assert made == list(PARALLEL.NAMES)
    assert (row["gru_forward"], row["attention_gradients"], row["linear_token"]) == (2.0, 2.0, 2 / 64)
    assert (row["blockwise_temporary"], row["gru_depth"]) == (20, 5)
    PARALLEL.measure({"seed": 2, "length": 8}, settings, None)
    assert len({array.tobytes() for array in drawn}) == 2 * 4  # of each column the same
    row = PARALLEL.measure({"seed": 1, "length": 9}, settings, None)
    assert row["attention_gradients"] is row["attention_depth"] is None and row["blockwise_forward"] == 2.0


def test_a_cell_is_measured():
    settings = STUDY.settings("smoke")
    row = PARALLEL.measure({"seed": 0, "length": 32}, settings, None)
    assert all(row[f"{arm}_{column}"] > 0 for arm in PARALLEL.NAMES
               for column in ("forward", "gradients", "token"))
    assert row["gru_depth"] == 64 and row["attention_depth"] == row["linear_depth"] == 0
    assert row["attention_temporary"] >= 4 * 2 * 32 * 32 and row["device"]
