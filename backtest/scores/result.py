"""The result of a statistical test, with the assumptions of its p-value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Verdict = Literal["rejected", "not rejected", "not identified"]


@dataclass(frozen=True)
class TestResult:
    """The outcome of one test on one record of exceedances.

    Parameters
    ----------
    name : the test and, where it has one, its author.
    statistic : value of the test statistic; 0 where the data carry no evidence either way.
    pvalue : probability of a statistic at least as large under H0, NaN where not identified.
    identified : False when the record cannot answer the question, e.g. without an exceedance.
    assumed : assumptions of the p-value, in words.
    estimates : quantities estimated by the test, by name.

    Examples
    --------
    >>> print(TestResult("Kupiec", 3.512, 0.0609, True, "independent days; chi-squared, 1 df"))
    Kupiec: statistic 3.512, p = 0.0609 (assumes independent days; chi-squared, 1 df)
    """

    __test__: ClassVar[bool] = False  # pytest would collect any class called Test...

    name: str
    statistic: float
    pvalue: float
    identified: bool
    assumed: str
    estimates: Mapping[str, float] = field(default_factory=dict)

    def verdict(self, level: float = 0.05) -> Verdict:
        """Verdict: rejected if the p-value is at most `level`; 'not identified' is never a pass.

        Counted p-values are exact at the level itself, so equality rejects: 25 of 500 at 5 %.

        Examples
        --------
        >>> TestResult("Kupiec", 0.0, float("nan"), False, "").verdict()
        'not identified'
        """
        if not self.identified:
            return "not identified"
        return "rejected" if self.pvalue <= level else "not rejected"

    def __str__(self) -> str:
        """One line: name, statistic, p-value and what it assumes."""
        if not self.identified:
            return f"{self.name}: not identified"
        return (
            f"{self.name}: statistic {self.statistic:.4g}, p = {self.pvalue:.3g} "
            f"(assumes {self.assumed})"
        )
