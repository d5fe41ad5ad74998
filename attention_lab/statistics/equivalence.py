"""Two one-sided tests that a mean lies inside a margin."""

from collections.abc import Sequence

from scipy import stats

from attention_lab.statistics.paired import checked


def tost(differences: Sequence[float], margin: float) -> float:
    """p of two one-sided t tests that the mean lies beyond the margin (Schuirmann 1987).

    Small p: the mean lies between -margin and margin.

    Raises:
      ValueError: a margin that is not above 0, or differences that are no numbers.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin}: a number above 0 is needed")
    values = checked(differences)
    if values.std() == 0:  # scipy divides by it
        return float(abs(values[0]) >= margin)
    low = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    high = stats.ttest_1samp(values, margin, alternative="less").pvalue
    return float(max(low, high))
