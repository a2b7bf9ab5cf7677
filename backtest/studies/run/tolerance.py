"""How far a number may move between processors: by model, as measured (docs/reproduction.md).

Sums and exponentials of another processor differ in the last digit. A search for the likeliest
parameters can end a little elsewhere for it, so a model that searches has a wider tolerance.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backtest.replay.provenance import Provenance


@dataclass(frozen=True, order=True)
class Tolerance:
    """How much a number may move, as shares: of itself, and of the largest of its kind.

    The second is for what is left where two large numbers are subtracted.
    """

    itself: float
    largest: float

    def __str__(self) -> str:
        return f"{self.itself:.0e}"


BASE = Tolerance(1e-9, 1e-13)
PEAK = Tolerance(1e-6, 1e-6)  # a search on a likelihood with a clear peak
FLAT = Tolerance(5e-3, 5e-3)  # one on a likelihood that is flat where its parameters end at edges
# How the law of a fit begins, as the manifest counts them; the first that fits decides.
LAWS = {
    **{"GARCH-normal": PEAK, "GARCH": FLAT, "GJR": FLAT},
    **{"CAViaR": PEAK, "generalised Pareto": PEAK},
}
# Simulators that fit a law before they draw from it, alone or as the base of another.
SIMULATORS = {
    **dict.fromkeys(("garch_t", "gjr_t", "dcc_t", "regime_switching"), FLAT),
    "multivariate_t": PEAK,
}
MONTE_CARLO = ("monte_carlo", "frontier")  # how tables of simulated paths begin


@dataclass(frozen=True)
class Tolerances:
    """What the numbers of a run may move.

    Parameters
    ----------
    models : models that search. everywhere : all other numbers; wider where margins that size the
        books are searched for. simulated : of tables of simulated paths, which begin so.
    savings_from : the model that savings are measured from.
    """

    models: dict[str, Tolerance]
    everywhere: Tolerance = BASE
    simulated: Tolerance = BASE
    savings_from: str | None = None
    simulated_tables: tuple[str, ...] = MONTE_CARLO

    @classmethod
    def of(cls, origin: Provenance) -> "Tolerances":
        """The tolerances of a run, by the fits that its manifest counts."""
        if origin.given is not None:  # no model runs, so none searches
            return cls({}, savings_from=origin.siloed_model)
        sizing = json.dumps(origin.study["sizing"])
        everywhere = FLAT if "garch" in sizing or "gjr" in sizing else BASE
        fitted = [SIMULATORS.get(kind, BASE) for kind in _kinds(origin.study["monte_carlo"])]
        simulated = max(everywhere, *fitted)
        if origin.path is not None:
            everywhere = simulated
        widest = {name: max(map(_of_law, laws)) for name, laws in origin.fits.items()}
        return cls(
            {name: tolerance for name, tolerance in widest.items() if tolerance > everywhere},
            everywhere,
            simulated,
            origin.siloed_model,
        )

    def of_numbers(self, table: str, column: str, models: tuple[str, ...] = ()) -> Tolerance:
        """The tolerance of a column of a table, in rows that name these models.

        Examples
        --------
        >>> tolerances = Tolerances({"garch": FLAT})
        >>> str(tolerances.of_numbers("dominance.csv", "rate", ("var", "garch")))
        '5e-03'
        >>> str(tolerances.of_numbers("dominance.csv", "rate", ("var", "siloed")))
        '1e-09'
        """
        named = [*models, column.rpartition("|")[0] or column]  # columns of some tables are models
        if "siloed" in column and self.savings_from is not None:
            named.append(self.savings_from)
        all_rows = self.simulated if table.startswith(self.simulated_tables) else self.everywhere
        return max([all_rows, *(self.models[name] for name in named if name in self.models)])

    def sentence(self) -> str:
        """The tolerances in words.

        Examples
        --------
        >>> Tolerances({"garch": FLAT}).sentence()
        'counts, dates and words exactly, numbers to within 1e-09 of themselves (garch 5e-03)'
        """
        wider = [f"{name} {tolerance}" for name, tolerance in self.models.items()]
        if self.simulated > self.everywhere:
            wider.append(f"simulated paths {self.simulated}")
        among = f" ({', '.join(wider)})" if wider else ""
        return (
            "counts, dates and words exactly, numbers to within "
            f"{self.everywhere} of themselves{among}"
        )


def _of_law(law: str) -> Tolerance:
    return next((LAWS[start] for start in LAWS if law.startswith(start)), BASE)


def _kinds(monte_carlo: Mapping[str, Any]) -> Iterator[str]:
    """Kinds of the simulator of a study and of its bases."""
    table = monte_carlo["simulator"]
    while table is not None:
        yield table["kind"]
        table = table.get("base")
