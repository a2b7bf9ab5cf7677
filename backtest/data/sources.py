"""The settings of `backtest fetch`: publishers, waiting times, and the files with their columns."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.data.columns import YIELDS_FILE
from backtest.types import StudyError

SETTINGS = Path(__file__).with_name("sources.toml")

Calendar = Literal["daily", "bond", "exchange"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Strict):
    """One series: its name in the file, its code at the publisher, and the range of its values."""

    name: str
    code: str
    factor: str
    unit: Literal["USD", "percent", "points"]
    low: float
    high: float
    starts: date
    calendar: Calendar
    unpublished: tuple[date, date] | None = None
    adjusted: str | None = None

    @property
    def checks(self) -> str | None:
        """The factor that this column only checks, or None."""
        return self.factor.removeprefix("check of ") if self.factor.startswith("check ") else None


class File(_Strict):
    """One CSV file of the cache and the publisher of its columns."""

    name: str
    source: str
    columns: tuple[Column, ...]


class Publisher(_Strict):
    """The class of `backtest.data` that asks a publisher, and the address; see `sources.toml`."""

    client: str
    url: str | None = None
    folder: str | None = None
    package: str | None = None


class Pace(_Strict):
    """Seconds to wait for an answer, between requests, and after 'too many requests'."""

    timeout: float
    pause: float
    back_off: tuple[float, ...]


class Settings(_Strict):
    """Everything in `sources.toml`."""

    pace: Pace
    publishers: dict[str, Publisher] = Field(alias="publisher")
    files: tuple[File, ...] = Field(alias="file")

    @model_validator(mode="after")
    def _publishers_are_known(self) -> "Settings":
        unknown = {file.source for file in self.files} - self.publishers.keys()
        if unknown:
            raise ValueError(f"no [publisher.{unknown.pop()}], which a file names")
        return self

    def chosen(self, only: tuple[str, ...] = (), *, yields: str = "treasury") -> tuple[File, ...]:
        """Select the files to fetch: all, or those in `only` (with or without .csv).

        yields : publisher of the par yields.

        Raises
        ------
        StudyError : a name or a publisher of par yields that the settings do not have.

        Examples
        --------
        >>> [(f.name, f.source) for f in settings().chosen(("treasury_par_yields",), yields="fred")]
        [('treasury_par_yields.csv', 'fred')]
        """
        publishers = [file.source for file in self.files if file.name == YIELDS_FILE]
        if yields not in publishers:
            raise StudyError(f"unknown yields {yields!r}; known: {', '.join(publishers)}.")
        files = {f.name: f for f in self.files if f.name != YIELDS_FILE or f.source == yields}
        names = [name if name.endswith(".csv") else f"{name}.csv" for name in only]
        for name in names:
            if name not in files:
                raise StudyError(f"no source has {name!r}; known: {', '.join(files)}.")
        return tuple(file for name, file in files.items() if not names or name in names)


@cache
def settings() -> Settings:
    """The packaged settings."""
    return Settings.model_validate(tomllib.loads(SETTINGS.read_text(encoding="utf-8")))
