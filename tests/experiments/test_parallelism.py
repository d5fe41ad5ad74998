"""The parallelism study: a cell is measured, exponents and ratios by hand, planted claims are judged."""

import math

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


def test_a_cell_is_measured():
    settings = STUDY.settings("smoke")
    row = PARALLEL.measure({"seed": 0, "length": 32}, settings, None)
    assert all(row[f"{arm}_{column}"] > 0 for arm in PARALLEL.NAMES
               for column in ("forward", "gradients", "token"))
    assert row["gru_depth"] == 64 and row["attention_depth"] == row["linear_depth"] == 0
    assert row["attention_temporary"] >= 4 * 2 * 32 * 32 and row["device"]
