"""Haircuts by themselves: moves of each asset against what is published, by window and by year."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from backtest.account.haircuts import load_schedule, schedules_on
from backtest.parameters.sources import parameter_source
from backtest.present.exhibit import Section
from backtest.studies.collateral.adequacy import COINS, WINDOWS, sample_line
from backtest.studies.collateral.figures import moves_against_haircuts
from backtest.studies.collateral.study import CollateralStudy

BRIEF_HORIZONS = (2, 10)  # days, of the Treasury table on screen; the file has all
STRESSED = ("UST10Y", "UST30Y")  # beside crypto, in the table of stress on screen


def haircut_sections(study: CollateralStudy) -> Iterator[Section]:
    """The sections in the order in which they are read."""
    is_coin = study.adequacy["asset"].isin(COINS)
    if is_coin.any():
        yield _crypto_haircuts(study, study.adequacy[is_coin])
    if not is_coin.all():
        yield _treasury_haircuts(study, study.adequacy[~is_coin])
    yield from (_stress(study), _years(study), _moves(study))


def _crypto_haircuts(study: CollateralStudy, table: pd.DataFrame) -> Section:
    return Section(
        name="crypto_haircuts",
        heading="Is 20 %, or 2 %, enough?",
        text=(
            "How often P(t + H) / P(t) fell below 1 - haircut, over all the days the source holds; "
            "'calendar' counts every day of the week, 'margin' the days of the joint market. "
            "'uncounted' moves end on a day without a price. BTC before 2014 had a thin market. "
            "The rates are the CFTC pilot's: since March 2026 capital charges on proprietary "
            "positions, before that the least haircut of customers' assets. "
            "Covers 99 % (99.9 %): the haircut that so many of the moves "
            "stayed within. Intervals are exact binomial at the effective number of days. A "
            "consolidated daily close is not the low of any one venue: in March 2023 venues "
            "printed USDC at 0.815 to 0.88."
        ),
        table=table,
        brief=_adequacy_brief(table),
        source_line=_sample(study, table),
    )


def _treasury_haircuts(study: CollateralStudy, table: pd.DataFrame) -> Section:
    return Section(
        name="treasury_haircuts",
        heading="Treasury haircuts by tenor",
        text=(
            "The same for constant-maturity bonds repriced from par yields (margin days, carry "
            "included), 30Y from 2006 as the Treasury published none from 2002. The schedules "
            "bucket by remaining maturity; 5Y, 10Y and 30Y are at the long, risky end of theirs. "
            "BCBS-IOSCO haircuts are for ten days."
        ),
        table=table,
        brief=_adequacy_brief(table[table["horizon"].isin(BRIEF_HORIZONS)]),
        source_line=_sample(study, table),
    )


def _adequacy_brief(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of all days as text: rate with interval, worst move, covering haircuts."""
    rows = table[table["period"] == "all"]
    lines = list(rows.itertuples())
    return pd.DataFrame(
        {
            "asset": rows["asset"],
            "by": rows["schedule"].where(
                rows["kind"] == "haircut", rows["schedule"] + " (capital charge)"
            ),
            "haircut": rows["haircut"].map("{:.1%}".format),
            "H, days": rows["horizon"].astype(str) + " " + rows["days"],
            "n": rows["observations"].map("{:,}".format),
            "uncounted": rows["uncounted"],
            "beyond": rows["beyond"],
            "rate [95 % interval]": [
                f"{r.beyond_rate:.2%} [{r.low:.2%}, {r.high:.2%}]" for r in lines
            ],
            "worst, from": [f"{r.worst:.1%}, {r.worst_day}" for r in lines],
            "covers 99 %": rows["cover_99"].map("{:.1%}".format),
            "99.9 %": rows["cover_99.9"].map("{:.1%}".format),
        }
    )


def _at_largest_haircut(table: pd.DataFrame) -> pd.DataFrame:
    """Of each (asset, kind of days, horizon, period), the row with the largest published haircut.

    An asset that fails the strictest schedule fails them all.
    """
    keys = ["asset", "days", "horizon", "period"]
    return table.loc[table.groupby(keys)["haircut"].idxmax()].sort_index()


def _stress(study: CollateralStudy) -> Section:
    """Each asset against its largest published haircut, in each window: 'beyond of n, worst'."""
    adequacy = study.adequacy
    table = _at_largest_haircut(adequacy[adequacy["period"].isin(list(WINDOWS))])
    rows = table[table["asset"].isin([*COINS, *STRESSED])]
    cells = rows.apply(lambda r: f"{r['beyond']} of {r['observations']}, {r['worst']:z.1%}", axis=1)
    keys = ["asset", "days", "haircut", "period", "horizon"]
    wide = spread(cells.groupby([rows[key] for key in keys], sort=False).first(), "horizon")
    wide.columns = pd.Index([f"{horizon} days" for horizon in wide.columns])
    return Section(
        name="stress_windows",
        heading="Haircuts under stress",
        text=(
            "Moves beyond the largest published haircut (of crypto: capital charge) of those that "
            "began in the window, and the worst of them; here crypto and the longest bonds, in the "
            "file all. A month holds few independent moves: these are counts of what happened, not "
            "rates."
        ),
        table=table,
        brief=wide.reset_index(),
        formats={"haircut": ".1%"},
        source_line=_sample(study, rows),
    )


def _years(study: CollateralStudy) -> Section:
    """Beyond the largest haircut by calendar year, at the study's horizon or the nearest."""
    horizons, period = study.adequacy["horizon"], study.adequacy["period"]
    horizon = min(set(horizons), key=lambda days: abs(days - study.horizon))
    is_year = period.str.fullmatch(r"\d{4}")
    table = _at_largest_haircut(study.adequacy[(horizons == horizon) & is_year])
    cells = table.apply(lambda r: f"{r['beyond']} ({r['worst']:z.1%})", axis=1)
    names = table["asset"] + table["days"].map({"calendar": " 24/7", "margin": ""})
    wide = spread(cells.groupby([table["period"], names.rename("asset")]).first(), "asset")
    wide = wide[list(dict.fromkeys(names))].sort_index()
    return Section(
        name="years",
        heading=f"Haircuts by year, {horizon} days",
        text=(
            "Moves beyond the largest published haircut (of crypto: capital charge) that began in "
            "the year, and the worst. 24/7: calendar days."
        ),
        table=table,
        brief=wide.rename_axis(index="year", columns=None),
        source_line=_sample(study, table),
    )


def _moves(study: CollateralStudy) -> Section:
    day = date.fromisoformat(study.provenance.as_of)
    citations = " ".join(
        f"{source.name}: {source.source} (in force from {source.dated})."
        for source in map(parameter_source, schedules_on(day))
        if load_schedule(source.name).kind != "margin rate"
    )
    return Section(
        name="moves_against_haircuts",
        heading="Worst moves through time",
        text=f"The worst move that began in each month. Schedules: {citations}",
        figure=moves_against_haircuts(study),
    )


def _sample(study: CollateralStudy, table: pd.DataFrame) -> str:
    """Files and days of the assets of a table: they are not those of the scored books."""
    return sample_line(study.provenance.details["sources"], set(table["asset"]))


def spread(cells: pd.Series, level: str) -> pd.DataFrame:
    """The values of one level of the index as columns."""
    return pd.DataFrame({key: cells.xs(key, level=level) for key in cells.index.unique(level)})
