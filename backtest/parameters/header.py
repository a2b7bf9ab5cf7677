"""What a parameter file says of itself: since when it is law, where it stands, who read it, how."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from backtest.types import StudyError

How = Literal["text read", "second source", "memory", "assumption"]
READ: tuple[How, ...] = ("text read", "second source")  # the ways that verify
ONE_DAY = timedelta(days=1)


class Mark(BaseModel):
    """Whether numbers were verified, how, and by what day: of a file, or of a table inside it."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    verified: bool
    how: How
    verified_on: date | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.verified != (self.how in READ):
            raise ValueError(f"verified is {self.verified}, but how is {self.how!r}")
        if self.verified and self.verified_on is None:
            raise ValueError("verified needs `verified_on`, the day of that look")
        return self


class Marked(BaseModel):
    """Form of a table that may carry a mark of its own, and say where its numbers stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    verified: bool = True
    how: How | None = None
    verified_on: date | None = None
    source: str = ""


class Uncertain(BaseModel):
    """A term that is not verified, and the range in which it may lie.

    Parameters
    ----------
    term : dotted place in the file; items of a list by number, 'credits.0.rate'.
    low, high : ends of the range, of the term's own type; None where it cannot sensibly be moved.
    why : how the range is known, or why there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    term: str
    low: Any = None
    high: Any = None
    why: str

    @property
    def moves(self) -> bool:
        """Whether the term has a range."""
        return self.low is not None or self.high is not None


class Header(BaseModel):
    """First keys of a parameter file.

    Parameters
    ----------
    title : what the numbers are.
    in_force_from, in_force_to : first and last day in force; None where it is open.
    superseded_by : the version that follows, in force from the day after `in_force_to`.
    source : who published it, what, and in which paragraph.
    verified, how, verified_on : see `Mark`; of every table that has no mark of its own.
    compared : what was compared with what. note : what a reader must know to use it.
    formerly : names that the file had.
    uncertain : every number that is not verified, with its range.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    source: str
    in_force_from: date
    in_force_to: date | None = None
    superseded_by: str = ""
    verified: bool
    how: How
    verified_on: date | None = None
    compared: str = ""
    note: str = ""
    formerly: str | tuple[str, ...] = ()
    uncertain: tuple[Uncertain, ...] = ()

    @model_validator(mode="after")
    def _holds(self) -> Self:
        Mark(verified=self.verified, how=self.how, verified_on=self.verified_on)
        if self.in_force_to is not None and self.in_force_to < self.in_force_from:
            raise ValueError(f"in force to {self.in_force_to}, before it began")
        if self.superseded_by and self.in_force_to is None:
            raise ValueError("superseded, but `in_force_to` is open")
        return self

    @property
    def former_names(self) -> tuple[str, ...]:
        """Names that the file had before; still understood."""
        return (self.formerly,) if isinstance(self.formerly, str) else self.formerly

    def covers(self, day: date) -> bool:
        """Whether it is in force on a day.

        Examples
        --------
        >>> header = Header(title="t", source="s", in_force_from=date(2024, 1, 1), verified=False,
        ...     how="memory", in_force_to=date(2024, 6, 30))
        >>> header.covers(date(2024, 6, 30)), header.covers(date(2024, 7, 1))
        (True, False)
        """
        return self.in_force_from <= day and (self.in_force_to is None or day <= self.in_force_to)


def split(tables: Mapping[str, Any], name: str) -> tuple[Header, dict[str, Any]]:
    """Header of a file, and the rest of it.

    Raises
    ------
    StudyError : one line: the file, the key and what is wrong with it.
    """
    fields = Header.model_fields
    body = {key: value for key, value in tables.items() if key not in fields}
    try:
        return Header(**{key: value for key, value in tables.items() if key in fields}), body
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StudyError(
            f"parameter file {name!r}: {where} {first['msg']}".rstrip(".") + "."
        ) from None
