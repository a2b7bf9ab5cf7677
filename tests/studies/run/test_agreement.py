"""Which differences of two tables another processor explains, and which it does not."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from backtest.estimators.fits import Certificate
from backtest.studies.run.agreement import differences, ties, unequal_cells
from backtest.studies.run.tolerance import BASE, FLAT, PEAK, Tolerances

SEARCHES = Tolerances({"garch": FLAT, "tail": PEAK}, savings_from="siloed")
MODELS = ["var", "garch", "tail"]


def daily(**edits) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "date": np.tile(pd.bdate_range("2020-01-01", periods=50), 3),
            "model": np.repeat(MODELS, 50),
            "portfolio": "both",
            "required": 1e6 * (1.0 + rng.random(150)),
            "loss": 1e6 * rng.normal(size=150),
            "call": 1e3 * rng.normal(size=150),
        }
    )
    return table.assign(**edits)


def moved(table: pd.DataFrame, column: str, row: int, share: float) -> pd.DataFrame:
    out = table.copy()
    out.loc[row, column] *= 1.0 + share
    return out


@pytest.mark.parametrize("column", ["required", "loss", "call"])
@pytest.mark.parametrize(
    "row, passes, drifts", [(7, 1e-13, 1e-6), (107, 2.7e-8, 1e-3), (57, 8e-4, 5e-2)]
)
def test_a_drift_is_found_and_a_processor_is_none(column, row, passes, drifts):
    before = daily()
    largest = before.groupby("model")[column].transform(lambda x: x.abs().max())
    before.loc[row, column] = largest[row]
    assert differences("t.csv", before, moved(before, column, row, passes), SEARCHES) == []
    [line] = differences("t.csv", before, moved(before, column, row, drifts), SEARCHES)
    assert line.startswith(f"t.csv: {column} of 2020-01-") and line.endswith("(1 rows)")


def test_every_number_of_a_model_without_searches_counts():
    before = daily().query("model == 'var'").reset_index(drop=True)
    for column in ("required", "loss", "call"):
        for row in range(len(before)):
            after = moved(before, column, row, 1e-6)
            assert differences("t.csv", before, after, SEARCHES), (column, row)


def test_what_is_left_of_two_large_numbers_may_move():
    before = daily()
    before.loc[3, "call"], after = 0.2, before.copy()
    before.loc[4, "call"] = after.loc[4, "call"] = 1e6
    after.loc[3, "call"] = 0.2 + 1e-9  # a margin of millions less the collateral
    assert differences("t.csv", before, after, SEARCHES) == []


def test_counts_dates_names_and_words_are_exact():
    before = daily(exceedances=1_000_000, coverage="not rejected")
    after = before.copy()
    after.loc[60, "exceedances"] += 1
    assert len(differences("t.csv", before, after, SEARCHES)) == 1
    after = before.assign(exceedances=before["exceedances"] + 0.5)  # a mean over paths
    assert len(differences("t.csv", before, after, SEARCHES)) == 1
    after = before.copy()
    after.loc[60, "coverage"] = "rejected"
    assert "not rejected stored, rejected now" in differences("t.csv", before, after, SEARCHES)[0]
    other_day = before.assign(date=before["date"] + pd.Timedelta(days=1))
    assert differences("t.csv", before, other_day, SEARCHES) == ["t.csv: other rows or columns"]
    other_name = before.assign(portfolio="bot")
    assert differences("t.csv", before, other_name, SEARCHES) == ["t.csv: other rows or columns"]


def test_a_row_of_two_models_and_a_column_of_one_have_the_wider_tolerance():
    pairs = pd.DataFrame({"model": ["var", "var"], "against": ["garch", "siloed"], "rate": 0.5})
    for row, lines in ((0, 0), (1, 1)):
        after = moved(pairs, "rate", row, 1e-4)
        assert len(differences("dominance.csv", pairs, after, SEARCHES)) == lines
    wide = pd.DataFrame({"item": ["a", "b"], "var": ["0.5", "x"], "garch": ["0.5", "x"]})
    assert differences("d.csv", wide, wide.assign(garch=["0.5004", "x"]), SEARCHES) == []
    assert len(differences("d.csv", wide, wide.assign(var=["0.5004", "x"]), SEARCHES)) == 1
    by_path = pd.DataFrame({"garch|scale": [0.5], "var|scale": [0.5]})
    assert len(differences("p.csv", by_path, by_path * 1.0001, SEARCHES)) == 1


def test_numbers_in_a_column_of_words_are_compared_as_numbers():
    old = pd.Series(["8194881.90427059", "var", "0.5", None])
    new = pd.Series(["8194881.90427060", "var", "0.6", None])
    assert unequal_cells(old, new, 1e-9).tolist() == [False, False, True, False]
    words = pd.Series(["x", "war", "0.5", "y"])
    assert unequal_cells(old, words, 1e-9).tolist() == [True, True, False, True]


def test_a_tie_is_said():
    table = daily()
    assert ties(table, SEARCHES) == []
    table.loc[3, "loss"] = table.loc[3, "required"] * (1 + 1e-15)
    table.loc[[55, 56], "loss"] = table.loc[[55, 56], "required"] * 1.001
    table.loc[9, ["loss", "required"]] = 0.0  # nothing at stake
    one, two = ties(table, SEARCHES)
    assert one.startswith("a tie: the loss of var, both on 2020-01-06 is its margin to within")
    assert two.startswith("a tie: the loss of garch, both on 2020-01-08 and 1 more days")


STUDY = {"sizing": {"kind": "historical_var"}, "monte_carlo": {"simulator": {"kind": "history"}}}


def origin(study=STUDY, path=None, **laws):
    fits = {name: {law: Certificate(1)} for name, law in laws.items()}
    return SimpleNamespace(study=study, fits=fits, path=path, siloed_model="siloed", given=None)


def test_tolerances_follow_from_the_fits_that_a_run_counted():
    laws = {"a": "GARCH-normal", "b": "GARCH-t", "c": "GJR-skew-t", "d": "CAViaR symmetric"}
    laws |= {"e": "generalised Pareto", "f": "Cornish-Fisher", "g": "a law of next year"}
    found = Tolerances.of(origin(**laws))
    assert found.models == {"a": PEAK, "b": FLAT, "c": FLAT, "d": PEAK, "e": PEAK}
    assert (found.everywhere, found.simulated) == (BASE, BASE)
    sized = Tolerances.of(origin(STUDY | {"sizing": {"kind": "garch_var"}}, **laws))
    assert (sized.everywhere, sized.models) == (FLAT, {})
    drawn = STUDY | {"monte_carlo": {"simulator": {"kind": "garch_t"}}}
    found = Tolerances.of(origin(drawn))
    assert (found.everywhere, found.simulated) == (BASE, FLAT)
    assert found.of_numbers("monte_carlo.parquet", "mean_margin", ("var",)) == FLAT
    assert found.of_numbers("summary.csv", "mean_margin", ("var",)) == BASE
    assert "(simulated paths 5e-03)" in found.sentence()
    assert Tolerances.of(origin(drawn, path=3)).everywhere == FLAT
    base = {"kind": "spliced", "base": {"kind": "multivariate_t"}}
    inside = {"kind": "stress_episode", "base": base}
    for simulator, simulated in ((inside, PEAK), (base["base"], PEAK), ({"kind": "history"}, BASE)):
        study = STUDY | {"monte_carlo": {"simulator": simulator}}
        assert Tolerances.of(origin(study)).simulated == simulated
