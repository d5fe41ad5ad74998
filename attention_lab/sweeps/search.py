"""Hyperparameter search: a sampler proposes configs by the scores of earlier ones; a pruner ends bad ones."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import optuna

from attention_lab.config.parse import field_of, nearest, parse
from attention_lab.config.values import show
from attention_lab.sweeps.space import SPACED, axis, parse_axis

Distribution = optuna.distributions.BaseDistribution

# A running cell counts as a bad one, or several workers would all try the same values.
SAMPLERS = {"tpe": partial(optuna.samplers.TPESampler, constant_liar=True),
            "random": optuna.samplers.RandomSampler}
# They see a trial at thousandths of its seeds and steps. The first five trials are pruned by no quantile;
# halving keeps the better half of those that came so far, after a quarter and after a half of a trial.
PRUNERS = {"none": optuna.pruners.NopPruner,
           "median": optuna.pruners.MedianPruner,
           "percentile": partial(optuna.pruners.PercentilePruner, 25.0),
           "halving": partial(optuna.pruners.SuccessiveHalvingPruner, min_resource=250, reduction_factor=2)}


class Search(NamedTuple):
    """How configs are proposed and scored.

    Fields:
      sampler: key of SAMPLERS. space: by dotted key. metric: a number of result.json, such as dev_bleu.
      sign: +1 where higher is better, -1 where lower. seed: of the proposals.
      seeds: on which each config is run, its score the mean; (): that of its config alone.
      prune: key of PRUNERS.
    """

    sampler: str
    space: dict[str, Distribution]
    metric: str
    sign: float
    seed: int
    seeds: tuple[int, ...] = ()
    prune: str = "none"

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Search":
        """From JSON: {"sampler", "axes", "metric", "sign", "seed"}, axes as the command line spells them.

        "seeds" and "prune" may be there.

        Raises:
          ValueError: an unknown sampler or pruner, a metric that is no dev score, or wrong axes.
        """
        name, prune, seeds = plain["sampler"], plain.get("prune", "none"), tuple(plain.get("seeds", ()))
        for flag, given, names in (("search", name, SAMPLERS), ("prune", prune, PRUNERS)):
            if given not in names:
                raise ValueError(f"--{flag}={given}: allowed are {', '.join(names)}{nearest(given, names)}")
        if not plain["metric"].startswith("dev_"):
            raise ValueError(f"{plain['metric']!r} can't be searched by: a dev_ score of result.json can, "
                             "such as --maximize=dev_bleu, for test is kept out of every choice")
        space: dict[str, Distribution] = {}
        for key, distribution in map(parse_distribution, plain["axes"]):
            if key in space:
                raise ValueError(f"{key} is swept twice")
            space[key] = distribution
        if seeds and "seed" in space:
            raise ValueError("seed is swept twice: scores are means over --seeds, so --sweep can't vary it")
        return cls(name, space, plain["metric"], plain["sign"], plain["seed"], seeds, prune)


def parse_distribution(text: str) -> tuple[str, Distribution]:
    """The key and the values of `config.KEY=log(low,high)`, `linear(low,high)`, `range(low,high)` or a list.

    Raises:
      ValueError: text that spells none; the line names the key.
    """
    key, _, values = text.partition("=")
    key, spaced = key.strip().removeprefix("config."), SPACED.fullmatch(values.strip())
    if not spaced or spaced[2].count(",") != 1:
        return key, optuna.distributions.CategoricalDistribution(
            [show(cell[key]) for cell in parse_axis(text)])
    kind, (low, high) = spaced[1], (end.strip() for end in spaced[2].split(","))
    low, high = parse(key, low), parse(key, high)
    axis(key, [low, high])  # refuses an end that the field does not allow
    if not low < high or (kind == "log" and low <= 0):
        raise ValueError(f"--sweep={text}: low < high is needed, and 0 < low for log")
    if kind == "range" or field_of(key).type is int:
        return key, optuna.distributions.IntDistribution(
            low, high - 1 if kind == "range" else high, log=kind == "log")
    return key, optuna.distributions.FloatDistribution(low, high, log=kind == "log")


def sampler(name: str, seed: int, number: int) -> optuna.samplers.BaseSampler:
    """A sampler for trial `number` alone, so that its first proposal repeats from the seed."""
    return SAMPLERS[name](seed=seed * 100003 + number)


def suggest(trial: optuna.Trial, space: Mapping[str, Distribution]) -> dict[str, Any]:
    """Typed overrides by dotted key for one trial."""
    overrides = {}
    for key, values in space.items():
        if isinstance(values, optuna.distributions.CategoricalDistribution):
            overrides[key] = parse(key, trial.suggest_categorical(key, values.choices))
        elif isinstance(values, optuna.distributions.IntDistribution):
            overrides[key] = trial.suggest_int(key, values.low, values.high, log=values.log)
        else:
            # Six digits, as on the command line.
            overrides[key] = float(f"{trial.suggest_float(key, values.low, values.high, log=values.log):.6g}")
    return overrides
