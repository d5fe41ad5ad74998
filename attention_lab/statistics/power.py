"""How many paired seeds decide a comparison."""

from scipy import stats

MOST = 1000


def power(effect: float, deviation: float, seeds: int, alpha: float = 0.05) -> float:
    """The chance that a two-sided paired t test of so many seeds rejects 0.

    effect, deviation: mean and standard deviation of the differences; deviation above 0.

    >>> round(power(0.5, 1.0, 34), 2)
    0.81
    """
    if not deviation > 0 or seeds < 2:
        raise ValueError(f"deviation={deviation}, seeds={seeds}: allowed are a deviation above 0 and "
                         "at least 2 seeds")
    # The square of a t variable is an F variable; scipy's noncentral t is NaN at some large shifts.
    edge = stats.t.ppf(1 - alpha / 2, seeds - 1)
    return float(stats.ncf.sf(edge ** 2, 1, seeds - 1, seeds * (effect / deviation) ** 2))


def seeds_needed(effect: float, deviation: float, least: int, chance: float = 0.8, alpha: float = 0.05
                 ) -> int | None:
    """The least number of seeds, from `least` on, with this power; None where MOST are not enough.

    >>> seeds_needed(0.5, 1.0, least=6)
    34
    """
    if deviation == 0:
        return least if effect else None
    if power(effect, deviation, MOST, alpha) < chance:
        return None
    low, high = least - 1, MOST  # the power rises with the seeds
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, deviation, middle, alpha) >= chance else (middle, high)
    return high


def detectable(deviation: float, seeds: int, chance: float = 0.8, alpha: float = 0.05) -> float:
    """The least effect, in the unit of the deviation, that so many seeds reject 0 for with this chance.

    >>> round(detectable(1.0, 34), 1)
    0.5
    """
    low, high = 0.0, deviation
    while power(high, deviation, seeds, alpha) < chance:
        high *= 2
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, deviation, seeds, alpha) >= chance else (middle, high)
    return high
