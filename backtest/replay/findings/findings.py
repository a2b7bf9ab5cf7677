"""Everything that follows from a finished study, as tables, each computed once."""

from dataclasses import dataclass

import pandas as pd

from backtest.replay.findings.disclosures import disclosure_table, money_table, swing_table
from backtest.replay.findings.family import dominance_table, family_summary, family_tests
from backtest.replay.forecasts import forecast_table
from backtest.replay.study import Study
from backtest.types import Progress, unheard, within


@dataclass(frozen=True, eq=False)
class Findings:
    """Tables that follow from a study's frames and scores; nothing is computed after `of`.

    Parameters
    ----------
    disclosures : of `disclosure_table`. swings : of `swing_table`. money : of `money_table`.
    tests : of `Study.tests`, every test of exceedances of every book.
    family, family_summary : of `family_tests` and `family_summary`.
    pairs : of `dominance_table`; None where there is one model, or too few days.
    forecasts : of `forecast_table`; None where no model forecasts more than a margin.
    """

    disclosures: pd.DataFrame
    swings: pd.DataFrame
    money: pd.DataFrame
    tests: pd.DataFrame
    family: pd.DataFrame
    family_summary: pd.DataFrame
    pairs: pd.DataFrame | None
    forecasts: pd.DataFrame | None

    @classmethod
    def of(
        cls,
        study: Study,
        forecasts: pd.DataFrame | None = None,
        *,
        progress: Progress | None = None,
    ) -> "Findings":
        """Compute every table of a study.

        forecasts : of `model_forecasts`, scored days only. progress : told of the stage 'tests'.

        Examples
        --------
        >>> import backtest as bt, strategies as st
        >>> market = bt.load_market("sample", end="2018-12-31")
        >>> book = bt.Book.from_frame(pd.DataFrame({"BTC": [1e6]}, index=["long"]), market)
        >>> findings = Findings.of(bt.run(market, book, {"var": st.HistoricalVaR()}))
        >>> list(findings.by_file())
        ['disclosures', 'procyclicality', 'money', 'tests', 'family', 'family_summary']
        """
        report, step = progress or unheard, 1.0 / 6.0
        report("tests", 0.0)
        family = family_tests(study)
        report("tests", step)
        tested = None
        if forecasts is not None:
            confidence = study.provenance.confidence
            tested = forecast_table(forecasts, confidence=confidence, horizon=study.overlap)
        summary = family_summary(study, family)
        report("tests", 2 * step)
        tests = study.tests(progress=within(report, "tests", 2 * step, 4 * step))
        swings, money = swing_table(study), money_table(study)
        report("tests", 5 * step)
        disclosures, pairs = disclosure_table(study), dominance_table(study)
        report("tests", 1.0)
        return cls(
            disclosures=disclosures,
            swings=swings,
            money=money,
            tests=tests,
            family=family,
            family_summary=summary,
            pairs=pairs,
            forecasts=tested,
        )

    def by_file(self) -> dict[str, pd.DataFrame]:
        """The tables there are, by the name of the CSV file in which a run stores them."""
        tables = {
            "disclosures": self.disclosures,
            "procyclicality": self.swings,
            "money": self.money,
            "tests": self.tests,
            "family": self.family,
            "family_summary": self.family_summary,
            "dominance": self.pairs,
            "forecasts": self.forecasts,
        }
        return {name: table for name, table in tables.items() if table is not None}
