"""Small studies that are measured in no time, for tests of the framework."""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference

CLAIMS = (Claim("better", "a scores more than b by over 2", difference("score", "a", "b"), "greater", 2.0,
                margin=0.5, published=2.5),
          Claim("same", "b is its own equal", difference("score", "b", "b"), "equal", margin=0.1,
                published="tied", primary=False))
SETTINGS = {"seeds": 6, "lead": 3.0}


def cells(settings):
    """A cell for each arm and seed."""
    return [{"arm": arm, "seed": seed} for arm in "ab" for seed in range(settings["seeds"])]


def measure(cell, settings, train):
    """A score that needs no run."""
    return {"score": settings["lead"] + 0.01 * cell["seed"] ** 2 if cell["arm"] == "a" else 0.0}


def overrides(cell, settings, rows):
    """The changes of a run, if there were one."""
    return {"seed": cell["seed"], "data.directory": f"{settings['data']}/corpus"}


def draw(rows, settings):
    """An empty figure."""
    return style.figure(1.0, 1.0)


STUDY = Study("Is a better?", CLAIMS, {"smoke": SETTINGS, "cpu": SETTINGS}, cells, measure, draw,
              overrides=overrides, name="tiny")
