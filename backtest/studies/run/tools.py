"""Which models of a study are tools against procyclicality, and over which base they lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.market.episodes import EPISODES
from backtest.replay.study import Study
from backtest.studies.run.figures.through_stress import AFTER, rise_through

KINDS = ("buffer", "cap", "minimum", "speed_limit", "stress_blend", "ten_year_floor")
EPISODE = "March 2020"


@dataclass(frozen=True)
class Tools:
    """A base model and the tools over it, by their names in the study."""

    base: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, models: Mapping[str, Any]) -> "Tools | None":
        """The base with most tools over it; None where no model is a tool over another one.

        models : name -> its table in the study file, `kind` and parameters; a tool names its
        `base` as a table too.

        Examples
        --------
        >>> var = {"kind": "historical_var", "lookback": 500}
        >>> Tools.of({"var": var, "calm": {"kind": "buffer", "base": var}})
        Tools(base='var', names=('calm',))
        >>> Tools.of({"var": var}) is None
        True
        """
        over = {
            name: tuple(
                tool
                for tool, table in models.items()
                if isinstance(table, Mapping)
                and table.get("kind") in KINDS
                and table.get("base", {"kind": "historical_var"}) == base
            )
            for name, base in models.items()
        }
        most = max(over, key=lambda name: len(over[name]), default="")
        return cls(most, over[most]) if most and over[most] else None

    def present(self, study: Study) -> "Tools | None":
        """The base and the tools that ran; None where the base or every tool failed."""
        ran = tuple(name for name in self.names if name in study.models)
        return Tools(self.base, ran) if self.base in study.models and ran else None


def book_of_largest_rise(study: Study, base: str, books: Sequence[str]) -> str | None:
    """The book in which the base's margin rises most through the episode; None where unscored."""
    first, last = (pd.Timestamp(day) for day in EPISODES[EPISODE])
    days = study.scored
    if not ((days >= first) & (days <= last)).any():
        return None
    margin = study.required[base].loc[days[days <= last + AFTER]]
    rises = pd.Series({book: rise_through(margin[book], EPISODE) for book in books}).dropna()
    return str(rises.index[int(rises.argmax())]) if len(rises) else None
