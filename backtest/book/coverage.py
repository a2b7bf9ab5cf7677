"""The standard of a study: confidence of the margin, and days to close out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from backtest.types import StudyError


@dataclass(frozen=True)
class Coverage:
    """The standard that every model of a study must meet.

    Parameters
    ----------
    confidence : probability that the margin covers the loss, in (0, 1).
    mpor : margin period of risk in margin days: one number, or days by silo or asset class (a
        mapping that covers every instrument of the book; the days of an asset class are taken
        before those of a silo).

    Examples
    --------
    >>> Coverage(mpor={"FICC": 3, "CME": 2}).longest
    3
    """

    confidence: float = 0.99
    mpor: int | Mapping[str, int] = field(default=2)

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1.0:
            raise StudyError(
                f"confidence is {self.confidence}; give a level in [0.5, 1), such as 0.99."
            )
        days = list(self.mpor.values()) if isinstance(self.mpor, Mapping) else [self.mpor]
        for value in days or [0]:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise StudyError(f"mpor is {self.mpor}; give whole margin days, 1 or more.")
        if isinstance(self.mpor, Mapping):
            object.__setattr__(self, "mpor", MappingProxyType(dict(self.mpor)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Python neither pickles nor copies a MappingProxyType.
        mpor = self.mpor if isinstance(self.mpor, int) else dict(self.mpor)
        return type(self), (self.confidence, mpor)

    @property
    def longest(self) -> int:
        """Longest MPOR of the standard in margin days, whether a book holds it or not."""
        return self.mpor if isinstance(self.mpor, int) else max(self.mpor.values())
