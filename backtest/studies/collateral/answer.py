"""The sentences that the page of `backtest collateral` opens with, from intervals and counts."""

import pandas as pd

from backtest.instruments import parse_instrument
from backtest.present.numbers import percent
from backtest.studies.collateral.study import CollateralStudy
from backtest.studies.sentences import counted, holding_words, not_shown, sentence
from backtest.studies.unshown import spot_clauses

CASH = "cash"


def collateral_answer(study: CollateralStudy) -> tuple[str, ...]:
    """Three sentences or four: breaches by mix, the worst book, haircuts, what is not shown."""
    exposure = study.cash_study.exposure
    return (
        _mixes(study),
        *filter(None, (_haircuts(study),)),
        not_shown(
            [
                "what happens within a day, or on a weekend that no margin day sees",
                "which haircuts a clearing house would set",
                "that collateral can be sold at its close",
                *spot_clauses(parse_instrument(str(name)) for name in exposure.columns),
            ],
            simulated=study.provenance.prices.simulated,
        ),
    )


def rates_together(mixes: pd.DataFrame) -> pd.DataFrame:
    """Breach rate of all named books together, (mixes, models) in the order of the study."""
    counts = mixes.groupby(["mix", "model"], sort=False)[["breaches", "observations"]].sum()
    rates = (counts["breaches"] / counts["observations"]).unstack("model")  # noqa: PD010
    return rates.reindex(mixes.index.unique("mix"))


def _mixes(study: CollateralStudy) -> str:
    """How far the breach rate moves from that of cash, and where it is above the standard."""
    rates, allowed = rates_together(study.mixes), 1.0 - study.provenance.confidence
    others = rates.drop(index=CASH, errors="ignore")
    if others.empty or CASH not in rates.index:
        return "No asset but cash of the study has prices here, so nothing moves."
    change = others - rates.loc[CASH]
    order = change.mean(axis=1).sort_values(kind="stable")
    # Least and most of the mean over models; one mix alone is both.
    first, *more = dict.fromkeys((order.index[0], order.index[-1]))
    moved = (
        f"posting {first} in place of cash moves the breach rate of all named books together by "
        f"{_points(change.loc[first])}"
    ) + "".join(f", posting {mix} by {_points(change.loc[mix])}" for mix in more)
    in_cash = study.mixes.index.get_level_values("mix") == CASH
    table = study.mixes[~in_cash]
    beyond, beyond_cash = ((rows["low"] > allowed).sum() for rows in (table, study.mixes[in_cash]))
    worst = table.reset_index().iloc[int(table["breach_rate"].argmax())]
    with_cash = study.mixes["breach_rate"].loc[(CASH, worst["model"], worst["portfolio"])]
    held = holding_words(study.cash_study.exposure.loc[worst["portfolio"]].to_dict())
    return sentence(
        f"{moved}, by model and without an interval; "
        f"of {counted(len(table), 'rate')} of a book, model and mix "
        f"{beyond or 'none'} {'is' if beyond == 1 else 'are'} above {percent(allowed, digits=2)} "
        f"beyond the 95 % interval ({beyond_cash or 'none'} of {in_cash.sum()} with cash), and the "
        f"highest is {percent(worst['breach_rate'], digits=2)} [{100 * worst['low']:.2f}, "
        f"{100 * worst['high']:.2f}], of {worst['portfolio']} ({held}) under {worst['model']} with "
        f"{worst['mix']} (with cash {percent(float(with_cash), digits=2)})"
    )


def _points(change: "pd.Series[float]") -> str:
    """Lowest and highest change over the models, in percentage points."""
    low, high = (f"{100 * end:+.2f}" for end in (change.min(), change.max()))
    return f"{low} points" if low == high else f"{low} to {high} points"


def _haircuts(study: CollateralStudy) -> str:
    """Published rates that a move over the MPOR passes more often than allowed; the worst one."""
    allowed = 1.0 - study.provenance.confidence
    horizons = sorted(set(study.adequacy["horizon"]))
    days = min(horizons, key=lambda horizon: abs(horizon - study.horizon))
    rows = study.adequacy[(study.adequacy["period"] == "all") & (study.adequacy["horizon"] == days)]
    if rows.empty:
        return ""
    short = rows[rows["low"] > allowed]
    unclear = rows[(rows["low"] <= allowed) & (rows["high"] > allowed)]
    worst = rows.iloc[int(rows["beyond_rate"].argmax())]
    limit = percent(allowed, digits=2)
    return sentence(
        f"of {counted(len(rows), 'published rate')} by asset, schedule and kind of days, moves "
        f"over {days} days pass {len(short) or 'none'} more often than {limit} beyond the 95 % "
        f"interval, and for {len(unclear) or 'none'} the record cannot tell; most often passed is "
        f"{percent(worst['haircut'])} on {worst['asset']} ({worst['schedule']}, {worst['kind']}), "
        f"on {percent(worst['beyond_rate'], digits=2)} [{100 * worst['low']:.2f}, "
        f"{100 * worst['high']:.2f}] of {worst['days']} days, at worst by "
        f"{percent(worst['worst'])} from {worst['worst_day']}"
    )
