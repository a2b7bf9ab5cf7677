"""The page of `backtest collateral`: breaches by mix, wrong-way risk, haircuts on their own."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from backtest.account.haircuts import load_schedule, schedules_on
from backtest.parameters.sources import parameter_source
from backtest.present.exhibit import Exhibit, Section
from backtest.studies.collateral.adequacy import COINS, WINDOWS, sample_line
from backtest.studies.collateral.answer import collateral_answer
from backtest.studies.collateral.figures import breach_by_mix, moves_against_haircuts
from backtest.studies.collateral.study import CollateralStudy

CAPTION = (
    "What happens to the same books, under the same margins, when assets other than cash are "
    "posted? Collateral is re-marked at every close and topped up by calls; shares of a mix are "
    "kept by substitution at each close, without cost. At close-out it is valued at the prices of "
    "that day, after haircut: the haircut covers no losses; 'at market' lets it cover them. A "
    "daily close hides what happens within a day, and on a weekend that no margin day sees. Bills "
    "are aged from the 3-month par yield; the bill fund's redemption lag, basis and haircut are "
    "assumptions (approximate). Haircuts of BTC, ETH and USDC are the CFTC pilot's, 20 % and 2 %, "
    "since March 2026 as capital charges on proprietary positions: no clearing house's schedule "
    "has them."
)
BRIEF_HORIZONS = (2, 10)  # days, of the Treasury table on screen; the file has all
STRESSED = ("UST10Y", "UST30Y")  # beside crypto, in the table of stress on screen


def collateral_exhibit(study: CollateralStudy) -> Exhibit:
    """All sections of a collateral study, in the order in which they are read."""
    return Exhibit(
        kind="collateral",
        title="Collateral that moves",
        answer=collateral_answer(study),
        caption=CAPTION,
        simulated=study.provenance.prices.simulated,
        source_line=f"{study.provenance.sentence()}; {study.provenance.terms.lag_words()}.",
        sections=tuple(_sections(study)),
        provenance=study.provenance,
        text=study.text,
    )


def _sections(study: CollateralStudy) -> Iterator[Section]:
    yield from (_breaches(study), _together(study), _wrong_way(study))
    if study.stablecoin is not None:
        yield _stablecoin(study, study.stablecoin)
    is_coin = study.adequacy["asset"].isin(COINS)
    if is_coin.any():
        yield _crypto_haircuts(study, study.adequacy[is_coin])
    if not is_coin.all():
        yield _treasury_haircuts(study, study.adequacy[~is_coin])
    yield from (_stress(study), _years(study), _moves(study))


def _breaches(study: CollateralStudy) -> Section:
    mixes = study.ranked.rows(study.mixes, "portfolio")
    brief = _wide(mixes, "breach_rate")
    if "BTC" in brief:
        at_market = mixes["breaches_at_market"] / mixes["observations"]
        brief["BTC, at market"] = at_market.xs("BTC", level="mix")
    return Section(
        name="breach_by_mix",
        heading="Breach rate by mix",
        text=study.ranked.note("breach_by_mix.csv")
        + (
            "Share of scored days on which the loss over the MPOR was above the collateral at "
            "close-out. Margins, calls and days are the same in every column. 'At market' counts "
            "the haircut as a cushion at close-out."
        ),
        table=study.mixes,
        brief=brief,
        formats={str(column): ".2%" for column in brief},
        figure=breach_by_mix(study),
    )


def _together(study: CollateralStudy) -> Section:
    """All named books together: a row a (mix, model)."""
    # Means of books cannot be averaged as they have different counts: sums can be divided.
    table = study.mixes.assign(
        shortfalls=study.mixes["mean_shortfall"].fillna(0.0) * study.mixes["breaches"]
    )
    grouped = table.groupby(["mix", "model"], sort=False)
    sums = grouped.sum()
    together = pd.DataFrame(
        {
            "breach_rate": sums["breaches"] / sums["observations"],
            "rate_at_market": sums["breaches_at_market"] / sums["observations"],
            "mean_shortfall": sums["shortfalls"] / sums["breaches"],
            "max_shortfall": grouped["max_shortfall"].max(),
            "mean_held": sums["mean_held"],
            "mean_posted": sums["mean_posted"],
            "posted_for_cash": sums["mean_posted"] / sums["mean_posted"].loc["cash"],
        }
    )
    money = ("mean_shortfall", "max_shortfall", "mean_held", "mean_posted")
    return Section(
        name="together",
        heading="All named books together",
        text=(
            "Shortfalls over all breach days; held (value after haircut) and posted (market value) "
            "summed over the books, USD. posted_for_cash: market value behind one USD of what "
            "cash would have been."
        ),
        table=together,
        formats=dict.fromkeys(("breach_rate", "rate_at_market"), ".2%")
        | dict.fromkeys(money, ",.0f")
        | {"posted_for_cash": ".3f"},
    )


def _wrong_way(study: CollateralStudy) -> Section:
    rows = study.ranked.rows(study.wrong_way, "portfolio")
    brief = _wide(rows, "correlation_on_worst")
    formats = {str(mix): "+.2f" for mix in brief}
    changes = _wide(rows, "mean_change_on_worst")
    for mix in changes:
        brief[f"{mix} moved"] = changes[mix].map("{:+.1%}".format)
    return Section(
        name="wrong_way",
        heading="Wrong-way risk",
        text=study.ranked.note("wrong_way.csv")
        + (
            "Correlation of the change of collateral value over t to t + MPOR with the book's loss "
            "over the same days, on the 5 % of days on which the book lost most (negative is "
            "wrong-way: the collateral falls as the loss grows), and the collateral's mean change "
            "on those days. Days overlap and are few; read the sign and the size, not the digits."
        ),
        table=study.wrong_way,
        brief=brief,
        formats=formats,
    )


def _sample(study: CollateralStudy, table: pd.DataFrame) -> str:
    """Files and days of the assets of a table: they are not those of the scored books."""
    return sample_line(study.provenance.details["sources"], set(table["asset"]))


def _stablecoin(study: CollateralStudy, table: pd.DataFrame) -> Section:
    origin, window = study.provenance, study.stablecoin_window
    days = " or ".join(f"{n:,}" for n in sorted(table["observations"].unique()))
    rows = study.ranked.rows(table, "portfolio")
    brief = _wide(rows, "breaches")
    brief.insert(0, "days", rows["observations"].groupby(["model", "portfolio"]).first())
    return Section(
        name="stablecoin",
        heading="USDC as collateral",
        text=study.ranked.note("stablecoin.csv")
        + (
            f"Breaches over {window} only: the source has no USDC price for the "
            "weeks before, a gap that is not filled. Margin days do not see a weekend: USDC "
            "lost its peg on Saturday 11 March 2023 and was back near par by Monday's close, so "
            "that no breach here can show it; the next tables do."
        ),
        table=table,
        brief=brief,
        source_line=(
            f"{study.stablecoin_source}, {window}; n = {days} scored days; "
            f"{origin.held_to.sentence()}; {origin.terms.lag_words()}."
        ),
    )


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
    wide = _spread(cells.groupby([rows[key] for key in keys], sort=False).first(), "horizon")
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
    wide = _spread(cells.groupby([table["period"], names.rename("asset")]).first(), "asset")
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


def _wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One column of a table with a 'mix' level, a column a mix, rows in their first order."""
    wide = _spread(table[column], "mix")
    rows = table.index[table.index.get_level_values("mix") == table.index[0][0]].droplevel([0])
    ordered = wide.reindex(index=rows, columns=table.index.unique("mix"))
    return ordered.rename_axis(columns=None)


def _spread(cells: pd.Series, level: str) -> pd.DataFrame:
    """The values of one level of the index as columns."""
    return pd.DataFrame({key: cells.xs(key, level=level) for key in cells.index.unique(level)})
