"""SIMM 2.3 to 2.5: the tests of simm-lib when it was of each, for ten days and for one.

Beside this file are their sensitivities, multipliers and add-ons, by the names they have there, and
their margins as printed; the names of issuers are shortened. A row holds from the version in
`since` until a later version gives that name another. A portfolio is a list of names: "IR_1", a
name so many times, "CMV_1*10", or all of a kind, "IR".
"""

from functools import cache, partial
from pathlib import Path

import pandas as pd

from backtest.anchors.anchor import Anchor, AnchorSet
from strategies.simm.parameters import Horizon
from strategies.simm.portfolio import simm_of_crif

GIVEN = Path(__file__).with_name("simm_tests_sensitivities.csv")
PRINTED = Path(__file__).with_name("simm_tests_margins.csv")
HORIZONS: tuple[tuple[Horizon, str, str], ...] = (
    (10, "ten_days", "SimmTenDayTest"),
    (1, "one_day", "SimmOneDayTest"),
)


@cache
def given_rows(version: str) -> pd.DataFrame:
    """Sensitivities, multipliers and add-ons of a version as rows of a CRIF, by name."""
    rows = pd.read_csv(GIVEN, index_col="name", dtype=str, keep_default_na=False)
    rows = rows[rows["since"] <= version]
    rows = rows[~rows.index.duplicated(keep="last")].drop(columns="since")
    amounts = rows["AmountUSD"].astype(float)
    return rows.assign(AmountUSD=amounts, Amount=amounts)


def portfolio_of(version: str, names: str) -> pd.DataFrame:
    """The rows that a list of names means.

    Examples
    --------
    >>> [len(portfolio_of("2.3", names)) for names in ("IR_1", "CMV_1*10 CMV_3", "IR FX_1")]
    [1, 11, 47]
    """
    rows = given_rows(version)
    kinds = rows.index.str.rsplit("_", n=1).str[0]
    asked: list[str] = []
    for name in names.split():
        one, _, times = name.partition("*")
        asked += list(rows.index[kinds == one]) or [one] * int(times or 1)
    return rows.loc[asked].reset_index(drop=True)


def margin_of(version: str, names: str, horizon: Horizon) -> float:
    """Margin of a list of names, in USD.

    Examples
    --------
    >>> margin_of("2.3", "IR_1", 10)  # 4m USD a basis point at 114 basis points
    456000000.0
    """
    crif = portfolio_of(version, names)
    return float(simm_of_crif(crif, parameters=f"simm/{version}", horizon=horizon).value)


def _set(version: str, tests: pd.DataFrame) -> AnchorSet:
    anchors = tuple(
        Anchor(
            f"{test['test']}, {column.replace('_', ' ')}",
            f"AcadiaSoft/simm-lib, {file} at SIMM {version}",
            test[column],
            partial(margin_of, version, test["portfolio"], horizon),
            group=f"{test['group']}, {column.replace('_', ' ')}",
        )
        for horizon, column, file in HORIZONS
        for test in tests.to_dict("records")
        if test[column]
    )
    return AnchorSet(
        f"SIMM {version}: tests of simm-lib",
        anchors,
        note="Of its tests those that were read; the last are of all sensitivities at once, with "
        "and without multipliers and add-ons.",
    )


SETS = tuple(
    _set(str(version), tests)
    for version, tests in pd.read_csv(PRINTED, dtype=str, keep_default_na=False).groupby("version")
)
