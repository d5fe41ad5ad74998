"""The parallelism study: a cell is measured, exponents and ratios by hand, planted claims are judged."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.studies.recipes import crossings
from tests.experiments.loaded import module, study

STUDY, PARALLEL = study("parallelism"), module("parallelism")
# Exponent and factor of each layer's time, memory and time of a token.
PLANTED = {"gru": (1.0, 4.0, 1.0, 0.0), "attention": (2.0, 0.01, 2.0, 1.0),
           "blockwise": (2.0, 0.005, 1.0, 1.0), "linear": (1.0, 1.0, 1.0, 0.0),
           "lstm": (1.0, 5.0, 1.0, 0.0)}
FUSED = {"fused": (2.0, 1e-5, 1.0, 1.0)}
OF_FUSED = {"fused_squared", "fused_sooner", "fused_sooner_than_gru", "fused_memory"}


def planted(of=PLANTED, seeds=10, preset="cpu", widening=4):
    """Rows in which recurrence, with 256 units, takes `widening` times as long as with 64."""
    rows = []
    for cell in STUDY.cells(STUDY.settings(preset) | {"seeds": seeds}):
        length, wobble = cell["length"], 1 + 0.001 * (cell["seed"] - 4.5)
        row = cell | {"device": "a machine"}
        for arm, (exponent, factor, memory, token) in of.items():
            time = wobble * factor * length ** exponent
            time *= widening if cell["width"] == 256 and arm in ("gru", "lstm") else 1
            row |= {f"{arm}_forward": time / 3, f"{arm}_gradients": time,
                    f"{arm}_temporary": 64.0 * length ** memory, f"{arm}_depth": 0,
                    f"{arm}_token": wobble * (0.5 + (length / 256 if token else 0))}
        rows.append(row)
    return rows


def test_claims_are_judged_by_what_is_planted():
    """Attention of 256 units crosses at 1,600 of 2,048 positions, of 64 units at 400."""
    found = {each.claim.name: each.verdict for each in STUDY.verdicts(planted())}
    assert set(found) == {claim.name for claim in STUDY.claims} - OF_FUSED
    assert set(found.values()) == {"supported"}
    other = STUDY.verdicts(planted({"gru": (1.5, 0.03, 1.0, 1.0), "attention": (1.0, 1.0, 1.0, 0.0),
                                    "blockwise": (1.0, 0.001, 2.0, 0.0), "linear": (2.0, 1.0, 1.0, 1.0),
                                    "lstm": (1.5, 0.02, 1.0, 1.0)}, widening=0.8))
    assert {each.claim.name: each.verdict for each in other if each.verdict != "refuted"} == {}


def test_fused_attention_is_judged_where_the_device_has_it():
    with_it = {each.claim.name: each.verdict
               for each in STUDY.verdicts(planted(PLANTED | FUSED, preset="accelerator"))}
    assert {with_it[name] for name in OF_FUSED} == {"supported"} and STUDY.left_out(planted(FUSED)) == {}
    without = STUDY.left_out(planted(PLANTED))
    assert without == dict.fromkeys(OF_FUSED, "a machine has no fused attention")
    refused = planted(PLANTED | FUSED, preset="accelerator")
    for row in refused:
        row |= {name: None for name in row if name.startswith("fused_")}
    assert STUDY.left_out(refused) == without
    assert "fused" not in STUDY.settings("cpu")["arms"] and "fused" in STUDY.settings("accelerator")["arms"]


def test_lengths_that_an_arm_lacks_are_left_out():
    rows = planted(seeds=1)
    for row in rows:
        if row["length"] > 512:
            row |= {name: None for name in row if name.startswith("attention_")}
    assert PARALLEL.slope_from(rows, "attention", "gradients", 1024, 64) == {0: pytest.approx(2.0)}
    ratio, = PARALLEL.ratio_at(rows, "attention", "gru", "gradients", PARALLEL.LONGEST, 64).values()
    assert ratio == pytest.approx(math.log2(0.01 * 512 / 4))


def test_attention_and_a_gru_cross_where_their_times_are_equal():
    """0.01 n^2 = 4 n at n = 400; where attention is always sooner there is no crossing."""
    found = crossings.crossing(planted(seeds=1), "attention", "gru", "gradients", 64)
    assert found == {0: pytest.approx(400.0)}
    sooner = planted(PLANTED | {"attention": (1.0, 0.01, 1.0, 0.0)}, 1)
    assert np.isnan(crossings.crossing(sooner, "attention", "gru", "gradients", 64)[0])


def test_a_crossing_beyond_the_lengths_counts_as_their_end():
    """log2 of 32 where attention always needs more, of 8,192 where it never does, of 400 between."""
    def log(of):
        rows = planted(PLANTED | of, 1)
        return PARALLEL.log_crossing(rows, "attention", "gru", "gradients", 64)[0]
    assert log({}) == pytest.approx(math.log2(400))
    assert log({"attention": (1.0, 5.0, 1.0, 0.0)}) == 5.0
    assert log({"attention": (1.0, 0.01, 1.0, 0.0)}) == 13.0


def test_slopes_are_of_long_sequences_and_of_the_last_two_without():
    """As the length up to 512, as its square beyond; a layer that ends at 512 has its last two alone."""
    rows = planted({"gru": (1.0, 1.0, 1.0, 0.0), "attention": (1.0, 1.0, 1.0, 0.0)}, seeds=1)
    for row in rows:
        row["gru_gradients"] = max(1.0, row["length"] / 512) * row["length"]
        row["attention_gradients"] = None if row["length"] > 512 else max(256, row["length"])
    assert PARALLEL.slope_from(rows, "gru", "gradients", 1024, 64) == {0: pytest.approx(2.0)}
    assert PARALLEL.slope_from(rows, "attention", "gradients", 1024, 64) == {0: pytest.approx(1.0)}


def test_the_last_crossing_counts_and_none_after_which_attention_is_sooner_again():
    """Ratios 0.5, 2, 0.5, 2: the last pair is crossed halfway between their logarithms."""
    rows = planted(seeds=1)[:4]
    for row, ratio in zip(rows, (0.5, 2.0, 0.5, 2.0)):
        row |= {"gru_gradients": 1.0, "attention_gradients": ratio}
    assert crossings.crossing(rows, "attention", "gru", "gradients", 64) == {0: pytest.approx(128 * 2 ** 0.5)}
    assert np.isnan(crossings.crossing(rows[:3], "attention", "gru", "gradients", 64)[0])


def test_the_interval_of_a_crossing_resamples_blocks():
    """Crossings at 400 times 0.8 to 1.25; the median's interval lies inside their range and holds it."""
    rows = planted()
    for row in rows:
        row["attention_gradients"] *= 1.25 ** (row["seed"] / 4.5 - 1)  # 0.01 n^2 x = 4 n at n = 400 / x
    middle, (low, high, level) = PARALLEL.crossing_interval(rows, "attention", "gru", "gradients", 64)
    assert middle == pytest.approx(400.0, rel=0.01) and level == 0.95
    assert 320 < low < 395 and 405 < high < 500
    for row in rows:
        if row["seed"] == 9:
            row["attention_gradients"] *= 0.05  # one block crosses at 6,400: a median does not follow
    assert PARALLEL.crossing_interval(rows, "attention", "gru", "gradients", 64)[1].high < 700
    for row in rows:
        if row["seed"] == 3:
            row["attention_gradients"] = 0.001 * row["length"]  # always sooner
    assert PARALLEL.crossing_interval(rows, "attention", "gru", "gradients", 64) is None


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
                          "memory_of_blocks", "token_of_gru", "token_of_linear", "lstm_in_order",
                          "token_of_lstm"}
    assert OF_FUSED & set(STUDY.resampled(planted(PLANTED | FUSED))) == {"fused_squared", "fused_memory"}


def test_the_figure_says_where_they_cross_and_whether_attention_is_fused():
    def drawn(rows):
        figure = STUDY.draw(rows, STUDY.settings("cpu"))
        (legend,) = figure.legends
        return ([[text.get_text() for text in ax.texts] for ax in figure.axes],
                [text.get_text() for text in legend.get_texts()], legend.get_title().get_text())
    texts, names, title = drawn(planted())
    assert texts == [["400 (400 to 400)"]] * 2 + [[]] * 3 + [["1,600 (1,600 to 1,600)"]] * 2 + [[]] * 3
    assert names == [PARALLEL.NAMES[arm] for arm in PARALLEL.ANYWHERE] and "fused attention: none" in title
    _, names, title = drawn(planted(PLANTED | FUSED))
    assert names == list(PARALLEL.NAMES.values()) and "fused" not in title


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
    settings = {"heads": 2, "rounds": 3, "arms": tuple(PARALLEL.NAMES)}
    row = PARALLEL.measure({"seed": 1, "length": 8, "width": 4}, settings, None)
    assert made == list(PARALLEL.ANYWHERE) and row["fused_gradients"] is row["fused_depth"] is None
    assert (row["gru_forward"], row["attention_gradients"], row["linear_token"]) == (2.0, 2.0, 2 / 64)
    assert (row["blockwise_temporary"], row["gru_depth"]) == (20, 5)
    PARALLEL.measure({"seed": 2, "length": 8, "width": 4}, settings, None)
    assert len({array.tobytes() for array in drawn}) == 2 * 4  # of each column the same
    row = PARALLEL.measure({"seed": 1, "length": 9, "width": 4}, settings, None)
    assert row["attention_gradients"] is row["attention_depth"] is None and row["blockwise_forward"] == 2.0


def test_a_cell_is_measured(on_its_device):
    """A kernel as on a GPU; without one the arm is left out."""
    settings = STUDY.settings("smoke") | {"arms": tuple(PARALLEL.NAMES)}
    on_its_device("cudnn")
    row = PARALLEL.measure({"seed": 0, "length": 32, "width": 64}, settings, None)
    assert all(row[f"{arm}_{column}"] > 0 for arm in PARALLEL.NAMES
               for column in ("forward", "gradients", "token"))
    assert row["gru_depth"] == row["lstm_depth"] == 64 and row["attention_depth"] == row["linear_depth"] == 0
    assert row["attention_temporary"] >= 4 * 2 * 32 * 32 and row["device"]
