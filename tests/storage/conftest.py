"""Run folders on a fixed machine."""

import pytest

from attention_lab.config import Config, replace
from attention_lab.storage import environment, runs

CONFIG = replace(Config(), {"model.width": 32})
COMMAND = "python -m experiments.train --config=x.py"


@pytest.fixture
def machine(monkeypatch):
    """A fixed machine, so that a test can change it, and git and jax aren't asked each time."""
    facts = {"versions": {"python": "3.11.7", "jax": "0.7.0"}, "commit": "aaaa",
             "uncommitted_changes": False}
    monkeypatch.setattr(environment, "software", lambda: dict(facts))
    monkeypatch.setattr(environment, "hardware",
                        lambda: {"device": "cpu", "devices": 1, "cores": 2})
    return facts


def begin(folder, config=CONFIG, **keywords):
    """Opens a run and lets go of it."""
    run = runs.open_run(folder, config, COMMAND, **keywords)
    run.close()
    return run


def begin_to_train(folder, config=CONFIG):
    """Opens a run and leaves the log of a first step in it."""
    run = begin(folder, config)
    (run.folder / "metrics.jsonl").write_text('{"step": 1}\n')
    return run
