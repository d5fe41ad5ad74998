"""A search instead of a grid: a sampler proposes each cell from what the ones before it scored."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import optuna

from attention_lab.config.choices import look_up
from attention_lab.config.parse import field_of, parse
from attention_lab.config.rules import show
from attention_lab.sweeps.space import SPACED, axis, parse_axis

Distributions = dict[str, optuna.distributions.BaseDistribution]


def _tpe(seed):
    # Cells that still run count as bad ones, or several workers would all try the same place.
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _random(seed):
    return optuna.samplers.RandomSampler(seed=seed)


SAMPLERS = {"tpe": _tpe, "random": _random}


class Search(NamedTuple):
    """How cells are proposed.

    Fields:
      sampler: of SAMPLERS. space: by dotted key. metric: a number of result.json, such as dev_bleu.
      sign: +1 where higher is better, -1 where lower. seed: where the proposals start.
    """

    sampler: str
    space: Distributions
    metric: str
    sign: float
    seed: int

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Search":
        """From JSON: {"sampler", "axes", "metric", "sign", "seed"}, axes as the command line spells them.

        Raises:
          ValueError: a sampler that is not known, a metric that no search may look at, or wrong axes.
        """
        name = plain["sampler"]
        if name not in SAMPLERS:
            raise ValueError(f"--search={name}: allowed are {', '.join(SAMPLERS)}")
        if not plain["metric"].startswith("dev_"):
            raise ValueError(f"{plain['metric']!r} can't be searched by: a dev_ score of result.json can, "
                             "such as --maximize=dev_bleu, for test is kept out of every choice")
        space = joined([parse_distribution(text) for text in plain["axes"]])
        return cls(name, space, plain["metric"], plain["sign"], plain["seed"])


def parse_distribution(text: str) -> Distributions:
    """What `config.KEY=log(low,high)`, `linear(low,high)`, `range(low,high)` or a list lets a search try.

    Raises:
      ValueError: text that spells none; the line names the key.
    """
    key, _, values = text.partition("=")
    key, spaced = key.strip().removeprefix("config."), SPACED.fullmatch(values.strip())
    if not spaced or spaced[2].count(",") != 1:
        return {key: optuna.distributions.CategoricalDistribution(
            [show(cell[key]) for cell in parse_axis(text)])}
    kind, (low, high) = spaced[1], (end.strip() for end in spaced[2].split(","))
    low, high = parse(key, low), parse(key, high)
    axis(key, [low, high])  # both ends have to be allowed
    if not low < high or (kind == "log" and low <= 0):
        raise ValueError(f"--sweep={text}: low < high is needed, and 0 < low for log")
    if kind == "range" or field_of(key).type is int:
        return {key: optuna.distributions.IntDistribution(
            low, high - 1 if kind == "range" else high, log=kind == "log")}
    return {key: optuna.distributions.FloatDistribution(low, high, log=kind == "log")}


def sampler(name: str, seed: int, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of trial `number`: one of its own, so that what it proposes first repeats from the seed."""
    return look_up(SAMPLERS, "--search", name)(seed * 100003 + number)


def suggest(trial: optuna.Trial, space: Distributions) -> dict[str, Any]:
    """Typed overrides by dotted key for one trial."""
    found = {}
    for key, one in space.items():
        if isinstance(one, optuna.distributions.CategoricalDistribution):
            found[key] = parse(key, trial.suggest_categorical(key, one.choices))
        elif isinstance(one, optuna.distributions.IntDistribution):
            found[key] = trial.suggest_int(key, one.low, one.high, log=one.log)
        else:
            # Six digits, as the command line would be given them.
            found[key] = float(f"{trial.suggest_float(key, one.low, one.high, log=one.log):.6g}")
    return found


def joined(spaces: Sequence[Distributions]) -> Distributions:
    """One space of several fields; ValueError for a field that comes twice."""
    whole: Distributions = {}
    for space in spaces:
        for key, one in space.items():
            if key in whole:
                raise ValueError(f"{key} is swept twice")
            whole[key] = one
    return whole
