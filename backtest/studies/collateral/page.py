"""The page of `backtest collateral`: breaches by mix, wrong-way risk, haircuts on their own."""

from collections.abc import Sequence

import pandas as pd

from backtest.account.haircuts import known_schedules, load_schedule
from backtest.present.exhibit import Exhibit, Section
from backtest.studies.collateral.figures import (
    breach_by_mix,
    moves_against_haircuts,
)
from backtest.studies.collateral.study import COINS, WINDOWS, CollateralStudy

CAPTION = (
    "What happens to the same books, under the same margins, when other things than cash are "
    "posted? Collateral is re-marked at every close and topped up by calls; shares of a mix are "
    "kept by substitution at each close, without cost. At close-out it is worth what its prices "
    "then say, after haircut: the haircut is kept back and is no cushion; 'at market' uses it as "
    "one. A daily close hides what happens within a day, and on a weekend that no margin day sees. "
    "Bills are aged from the 3-month par yield; the bill fund's redemption lag, basis and haircut "
    "are assumptions (approximate). Haircuts of BTC, ETH and USDC are the CFTC pilot's capital "
    "charges on proprietary positions, 20 % and 2 %: no schedule of collateral haircuts lists them."
)
RATES = ("rate", "low", "high", "worst", "cover", "haircut", "mean_change")
SHOWN_HORIZONS = (2, 10)  # days, of the Treasury table on screen; the file has all
STRESSED = ("UST10Y", "UST30Y")  # beside crypto, in the table of stress on screen


def collateral_exhibit(found: CollateralStudy) -> Exhibit:
    """Everything a collateral study found, in the order in which it is read."""
    return Exhibit(
        kind="collateral",
        title="Collateral that moves",
        caption=CAPTION,
        simulated=found.study.simulated,
        source_line=f"{found.provenance.sentence()}; {found.provenance.terms.lag_words()}.",
        sections=tuple(section for section in _sections(found) if section is not None),
        provenance=found.provenance,
        text=found.text,
    )


def _sections(found: CollateralStudy) -> Sequence[Section | None]:
    return (
        _breaches(found), _together(found), _wrong_way(found), _stablecoin(found),
        _crypto(found), _treasuries(found), _stress(found), _years(found), _moves(found),
    )  # fmt: skip


def _breaches(found: CollateralStudy) -> Section:
    brief = _wide(found.mixes, "breach_rate")
    if "BTC" in brief:
        at_market = found.mixes["breaches_at_market"] / found.mixes["observations"]
        brief["BTC, at market"] = at_market.xs("BTC", level="mix")
    return Section(
        name="breach_by_mix",
        heading="Breach rate by mix",
        text=(
            "Share of scored days on which the loss over the MPOR was above the collateral at "
            "close-out. Margins, calls and days are the same in every column. 'At market' counts "
            "the haircut as a cushion at close-out."
        ),
        table=found.mixes,
        brief=brief,
        formats={str(column): ".2%" for column in brief},
        figure=breach_by_mix(found),
    )


def _together(found: CollateralStudy) -> Section:
    """All named books together: a row a (mix, model)."""
    table = found.mixes.assign(
        shortfalls=found.mixes["mean_shortfall"].fillna(0.0) * found.mixes["breaches"]
    )
    grouped = table.groupby(["mix", "model"], sort=False)
    sums, peak = grouped.sum(), grouped["max_shortfall"].max()
    together = pd.DataFrame(
        {
            "breach_rate": sums["breaches"] / sums["observations"],
            "rate_at_market": sums["breaches_at_market"] / sums["observations"],
            "mean_shortfall": sums["shortfalls"] / sums["breaches"],
            "max_shortfall": peak,
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
        formats=_formats(together) | dict.fromkeys(money, ",.0f") | {"posted_for_cash": ".3f"},
    )


def _wrong_way(found: CollateralStudy) -> Section:
    brief = _wide(found.wrong_way, "correlation_on_worst")
    changes = _wide(found.wrong_way, "mean_change_on_worst")
    for mix in changes:
        brief[f"{mix} moved"] = changes[mix].map("{:+.1%}".format)
    return Section(
        name="wrong_way",
        heading="Wrong-way risk",
        text=(
            "Correlation of the change of collateral value over t to t + MPOR with the book's loss "
            "over the same days, on the 5 % of days on which the book lost most (negative is "
            "wrong-way: the collateral falls as the loss grows), and the collateral's mean change "
            "on those days. Days overlap and are few; read the sign and the size, not the digits."
        ),
        table=found.wrong_way,
        brief=brief,
        formats={str(column): "+.2f" for column in _wide(found.wrong_way, "correlation")},
    )


def _stablecoin(found: CollateralStudy) -> Section | None:
    if found.stablecoin is None:
        return None
    table = found.stablecoin
    brief = _wide(table, "breaches")
    brief.insert(0, "days", table["observations"].groupby(["model", "portfolio"]).first())
    return Section(
        name="stablecoin",
        heading="USDC as collateral",
        text=(
            f"Breaches over {found.stablecoin_window} only: the source has no USDC price for the "
            "weeks before, a hole that is never bridged. Margin days do not see a weekend: USDC "
            "lost its peg on Saturday 11 March 2023 and was back near par by Monday's close, so "
            "that no breach here can show it; the next tables do."
        ),
        table=table,
        brief=brief,
    )


def _crypto(found: CollateralStudy) -> Section | None:
    return _adequacy(
        found.adequacy[found.adequacy["asset"].isin(COINS)],
        name="crypto_haircuts",
        heading="Is 20 %, or 2 %, enough?",
        text=(
            "How often P(t + H) / P(t) fell below 1 - haircut, over all the days the source holds; "
            "'calendar' counts every day of the week, 'margin' the days of the joint market. "
            "'uncounted' moves end in a hole. BTC before 2014 is a thin market's. The rates are "
            "the CFTC pilot's capital charges on proprietary positions, not collateral haircuts. "
            "Covers 99 % (99.9 %): the haircut that so many of the moves stayed within. Intervals "
            "are exact binomial at the effective number of days. A consolidated daily close is not "
            "the low of any one venue: in March 2023 venues printed USDC at 0.815 to 0.88."
        ),
        horizons=None,
    )


def _treasuries(found: CollateralStudy) -> Section | None:
    return _adequacy(
        found.adequacy[~found.adequacy["asset"].isin(COINS)],
        name="treasury_haircuts",
        heading="Treasury haircuts by tenor",
        text=(
            "The same for constant-maturity bonds repriced from par yields (margin days, carry "
            "included), 30Y from 2006 as the Treasury published none from 2002. The schedules "
            "bucket by remaining maturity; 5Y, 10Y and 30Y stand at the long, risky end of theirs. "
            "BCBS-IOSCO haircuts are for ten days."
        ),
        horizons=SHOWN_HORIZONS,
    )


def _adequacy(
    table: pd.DataFrame, *, name: str, heading: str, text: str, horizons: Sequence[int] | None
) -> Section | None:
    if table.empty:
        return None
    shown = table[table["period"] == "all"]
    if horizons is not None:
        shown = shown[shown["horizon"].isin(horizons)]
    brief = pd.DataFrame(
        {
            "asset": shown["asset"],
            "by": shown["schedule"].where(
                shown["kind"] == "haircut", shown["schedule"] + " (capital charge)"
            ),
            "haircut": shown["haircut"].map("{:.1%}".format),
            "H, days": shown["horizon"].astype(str) + " " + shown["days"],
            "n": shown["observations"].map("{:,}".format),
            "uncounted": shown["uncounted"],
            "beyond": shown["beyond"],
            "rate [95 % interval]": [
                f"{r.beyond_rate:.2%} [{r.low:.2%}, {r.high:.2%}]" for r in shown.itertuples()
            ],
            "worst, from": [f"{r.worst:.1%}, {r.worst_day}" for r in shown.itertuples()],
            "covers 99 %": shown["cover_99"].map("{:.1%}".format),
            "99.9 %": shown["cover_99.9"].map("{:.1%}".format),
        }
    )
    return Section(name=name, heading=heading, text=text, table=table, brief=brief)


def _stress(found: CollateralStudy) -> Section:
    """Each asset against its largest published haircut, in each window: 'beyond of n, worst'."""
    own = found.adequacy[found.adequacy["period"].isin(list(WINDOWS))]
    own = own.loc[own.groupby(["asset", "days", "horizon", "period"])["haircut"].idxmax()]
    own = own.sort_index()
    cells = own.apply(lambda r: f"{r['beyond']} of {r['observations']}, {r['worst']:z.1%}", axis=1)
    keys = ["asset", "days", "haircut", "period", "horizon"]
    shown = own["asset"].isin([*COINS, *STRESSED])
    wide = _spread(cells[shown].groupby([own[key] for key in keys], sort=False).first(), "horizon")
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
        table=own,
        brief=wide.reset_index(),
        formats={"haircut": ".1%"},
    )


def _years(found: CollateralStudy) -> Section:
    """Beyond the largest haircut by calendar year, at the study's horizon or the nearest."""
    tested = found.adequacy["horizon"]
    horizon = min(set(tested), key=lambda days: abs(days - found.horizon))
    own = found.adequacy[(tested == horizon) & found.adequacy["period"].str.fullmatch(r"\d{4}")]
    own = own.loc[own.groupby(["asset", "days", "period"])["haircut"].idxmax()].sort_index()
    cells = own.apply(lambda r: f"{r['beyond']} ({r['worst']:z.1%})", axis=1)
    names = own["asset"] + own["days"].map({"calendar": " 24/7", "margin": ""})
    wide = _spread(cells.groupby([own["period"], names.rename("asset")]).first(), "asset")
    wide = wide[list(dict.fromkeys(names))].sort_index()
    return Section(
        name="years",
        heading=f"Haircuts by year, {horizon} days",
        text=(
            "Moves beyond the largest published haircut (of crypto: capital charge) that began in "
            "the year, and the worst. 24/7: calendar days."
        ),
        table=own,
        brief=wide.rename_axis(index="year", columns=None),
    )


def _moves(found: CollateralStudy) -> Section:
    cited = " ".join(
        f"{name}: {schedule.source} (dated {schedule.dated})."
        for name, schedule in ((n, load_schedule(n)) for n in known_schedules())
        if schedule.kind != "margin rate"
    )
    return Section(
        name="moves_against_haircuts",
        heading="Worst moves through time",
        text=f"The worst move that began in each month. Schedules: {cited}",
        figure=moves_against_haircuts(found),
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


def _formats(table: pd.DataFrame) -> dict[str, str]:
    return {
        str(column): ".2%"
        for column in table
        if any(word in str(column) for word in RATES) and column != "worst_day"
    }
