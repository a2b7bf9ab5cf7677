"""The titles of the figures of collateral: what each shows, from the numbers that it draws."""

import pandas as pd

from backtest.present.naming import brief, span
from backtest.present.numbers import percent

MOST_ASSETS = 4  # assets that a sentence names


def breach_finding(data: pd.DataFrame, rates: "pd.Series[float]") -> str:
    """How the breaches of all books together change with the mix that raises them most.

    data : a row a (mix, model, portfolio), breach_rate, wrong_way. rates : of all books together,
    by (mix, model); the first mix is the one compared with.
    """
    by_mix = rates.groupby(level="mix", sort=False)
    base, worst = str(rates.index[0][0]), str(by_mix.mean().idxmax())
    ranges = {
        str(mix): span(of_mix.min(), of_mix.max(), lambda rate: percent(rate, digits=2))
        for mix, of_mix in by_mix
    }
    if worst == base:
        return f"No mix breaches more often than {brief(base)}, {ranges[base]} of days by model"
    text = (
        f"With {brief(worst)} posted instead of {brief(base)}, books breach on {ranges[worst]} of "
        f"days, by model, and not on {ranges[base]}"
    )
    wrong = data[(data["mix"] == worst) & data["wrong_way"]]
    if len(wrong):
        text += f"; wrong-way books on up to {percent(wrong['breach_rate'].max(), digits=2)}"
    return text


def moves_finding(data: pd.DataFrame, *, horizon: int) -> str:
    """How many assets moved beyond every published rate, and in how many months.

    data : a row a (asset, month), beyond_all.
    """
    months = data.groupby("asset", sort=False)["beyond_all"].sum().sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    beyond = months[months > 0]
    rates = "every published haircut or capital charge"
    if not len(beyond):
        return f"None of {len(months)} assets moved beyond {rates} in {horizon} days"
    named = ", ".join(f"{asset} {count}" for asset, count in beyond.iloc[:MOST_ASSETS].items())
    more = ", ..." if len(beyond) > MOST_ASSETS else ""
    return (
        f"{len(beyond)} of {len(months)} assets moved beyond {rates} in {horizon} days: months "
        f"with such moves {named}{more}"
    )
