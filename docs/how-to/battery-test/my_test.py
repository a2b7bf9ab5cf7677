"""Exceedances on two days running."""  # GAP 1: what it tests; author and year

from numpy.typing import ArrayLike
from scipy import stats

from backtest.scores.checks import as_indicator, check_confidence
from backtest.scores.result import TestResult


# GAP 2: the name, and the confidence where the test looks at the rate
def my_test(exceedances: ArrayLike, *, confidence: float = 0.99) -> TestResult:
    """Test that exceedances do not come on two days running more often than by chance.

    Parameters
    ----------
    exceedances : (days,) bool or 0/1, consecutive days, none missing.
    confidence : that the model claims; on independent days a pair has probability (1 - c)^2.

    Returns
    -------
    TestResult; the statistic is the number of pairs, one-sided. The p-value is Poisson's,
    approximate; the battery takes that among drawn records. Not identified with fewer than two
    exceedances.

    Raises
    ------
    DataError, StudyError : values other than 0 and 1, a confidence outside (0, 1).

    Examples
    --------
    >>> result = my_test([0, 1, 1, 1] + [0] * 246)
    >>> result.statistic, result.verdict()
    (2.0, 'rejected')
    """  # GAP 3: hypothesis, statistic, its law, when it is not identified, the paper
    check_confidence(confidence)
    record = as_indicator(exceedances) > 0
    name, assumed = "Two days running", "independent days; Poisson, approximate"
    if record.sum() < 2:  # GAP 4: what the record must hold for an answer: no answer is no pass
        return TestResult(name, float("nan"), float("nan"), False, assumed)
    # GAP 5: statistic, large where the model is wrong, and p-value
    pairs = float((record[1:] & record[:-1]).sum())
    expected = (len(record) - 1) * (1.0 - confidence) ** 2
    pvalue = float(stats.poisson.sf(pairs - 1, expected))
    return TestResult(name, pairs, pvalue, True, assumed, {"expected": expected})
