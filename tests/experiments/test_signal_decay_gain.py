"""The signal_decay_gain study: claims judged by what is planted, and a gain that is measured."""

import numpy as np
import pytest

from attention_lab.analysis import decay
from tests.experiments.loaded import module, study
from tests.experiments.loaded import verdicts as verdicts_of


def planted(power=1.0, cell=0.0, gated=0.3, above=0.0):
    """Rows whose slopes are a power of the gain, those of gated cells with another."""
    rows = []
    for cell_of in study("signal_decay_gain").cells(study("signal_decay_gain").settings("cpu")):
        arm, gain, spread = (cell_of[name] for name in ("arm", "gain", "spread"))
        wobble = 0.001 * (cell_of["seed"] - 4.5)
        slope = gated * np.log(gain) - 0.4
        if arm == "rnn":
            linear = spread < 0.1 and gain <= 1
            slope = power * np.log(gain) if linear else decay.mean_field_rate(gain, spread)
        bias = {"lstm, bias 0": np.log(0.5), "lstm, bias 1": -np.log1p(np.exp(-1.0))}.get(arm)
        rows.append(cell_of | {"slope": slope + above + wobble, "curve": np.zeros(3),
                               "cell_rate": None if bias is None else bias + cell * np.log(gain) + wobble})
    return rows


def test_claims_are_judged_by_what_is_planted():
    assert set(verdicts_of(study("signal_decay_gain"), planted()).values()) == {"supported"}
    found = verdicts_of(study("signal_decay_gain"), planted(power=0.8, cell=0.5, gated=1.2, above=0.3))
    assert {name for name, verdict in found.items() if verdict == "supported"} == {
        "tanh_takes_from_gain", "explodes"}
    assert set(found.values()) == {"supported", "refuted"}


@pytest.mark.parametrize("gain", [0.5, 0.9])
def test_small_inputs_decay_by_the_gain_and_the_cell_path_does_not(gain):
    one = module("signal_decay_gain")
    settings = {"inputs": 2, "length": 13, "size": 7}
    found = one.measure({"arm": "rnn", "gain": gain, "spread": 0.001, "seed": 1}, settings, None)
    assert found["slope"] == pytest.approx(np.log(gain), abs=1e-3) and found["curve"].shape == (13,)
    assert found["cell_rate"] is None
    lstm = {"arm": "lstm, bias 1", "gain": gain, "spread": 0.001, "seed": 1}
    assert one.measure(lstm, settings, None)["cell_rate"] == pytest.approx(-0.3133, abs=2e-3)
