"""The signal_decay study: claims judged by what is planted."""

import numpy as np

from tests.experiments.loaded import module, study
from tests.experiments.loaded import verdicts as verdicts_of

RATES = {"rnn": -0.6, "lstm, bias 0": -0.6, "lstm, bias 1": -0.3, "gru": -0.5, "attention": 0.0}


def planted(rates, dilution=-1.0, cell=(-0.69, -0.31)):
    rows = []
    for seed in range(8):
        for arm, rate in rates.items():
            for length in (8, 16, 32) if arm == "attention" else (40,):
                wobble = 0.001 * (seed - 3.5)
                level = dilution * np.log(length) if arm == "attention" else 0.0
                rows.append({
                    "arm": arm, "length": length, "seed": seed, "slope": rate + wobble,
                    "cell_rate": {"lstm, bias 0": cell[0], "lstm, bias 1": cell[1]}.get(arm),
                    "curve": level + rate * np.arange(length)})
    return rows


def verdicts(rows):
    return verdicts_of(study("signal_decay"), rows)


def test_claims_are_judged_by_what_is_planted():
    assert set(verdicts(planted(RATES)).values()) == {"supported"}
    other = verdicts(planted(RATES | {"rnn": 0.1, "lstm, bias 0": -0.2, "attention": -0.1}, dilution=-0.5,
                             cell=(-0.3, -0.69)))
    assert other.pop("gru_decays") == "supported" and set(other.values()) == {"refuted"}


def test_a_cell_is_measured():
    cell = {"arm": "lstm, bias 1", "length": 9, "seed": 0}
    found = module("signal_decay").measure(cell, {"inputs": 3, "size": 4}, None)
    assert found["curve"].shape == (9,) and np.isfinite(found["curve"]).all() and found["slope"] < 0
    assert -0.6 < found["cell_rate"] < -0.1
