"""python -m experiments.power FOLDER --arms=config.KEY --metric=NAME --effect=2: seeds for an effect."""

import statistics

from experiments import flags
from experiments.compare import PROGRAM as COMPARE
from experiments.flags import say

PROGRAM = flags.Program("power", "Says how many paired seeds would show an effect.", {
    **{name: COMPARE.flags[name] for name in ("arms", "metric", "reference", "where")},
    "effect": flags.Flag(0.0, "the difference that matters, in the metric's unit", required=True, above=0.0),
    "chance": flags.Flag(0.8, "the chance of showing it (power)", above=0.0, high=0.99),
}, config="none", words="FOLDER [FOLDER ...]", device=False)


def main(options: flags.Options) -> int:
    """Prints a line for each arm against the reference."""
    if not options.words:
        raise ValueError("name a folder of runs: python -m experiments.power runs/translation --arms=... "
                         "--metric=... --effect=...")
    from attention_lab.statistics.power import detectable, power, seeds_needed
    from attention_lab.statistics.verdicts import ALPHA, LEAST
    from attention_lab.sweeps.comparison import compare
    from attention_lab.sweeps.declared import Question
    conditions = Question((), options.metric, where=tuple(options.where)).conditions
    result = compare(options.words, options.arms.split(","), options.metric, options.reference,
                     where=conditions)
    for line in result.notices:
        say(line)
    alpha = ALPHA / len(result.contrasts)  # several arms share the error rate
    print("arm\tagainst\tseeds\tdeviation_of_differences\tpower_now\tseeds_needed\t"
          "effect_that_these_seeds_show")
    for each in result.contrasts:
        deviation, seeds = statistics.stdev(each.differences), len(each.seeds)
        if not deviation:
            raise ValueError(f"all seeds of {each.arm} differ by {each.mean:g}: seeds without noise have no "
                             "power to compute")
        needed = seeds_needed(options.effect, deviation, LEAST, options.chance, alpha)
        print(f"{each.arm}\t{each.reference}\t{seeds}\t{deviation:.4g}\t"
              f"{power(options.effect, deviation, seeds, alpha):.2f}\t{needed or 'more than 1,000'}\t"
              f"{detectable(deviation, seeds, options.chance, alpha):.4g}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
