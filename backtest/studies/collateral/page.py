"""The page of `backtest collateral`: breaches by mix, wrong-way risk, stablecoins, haircuts."""

from collections.abc import Iterator

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.studies.collateral.answer import collateral_answer
from backtest.studies.collateral.figures import breach_by_mix
from backtest.studies.collateral.haircut_sections import haircut_sections, spread
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
    yield from haircut_sections(study)


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


def _wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One column of a table with a 'mix' level, a column a mix, rows in their first order."""
    wide = spread(table[column], "mix")
    rows = table.index[table.index.get_level_values("mix") == table.index[0][0]].droplevel([0])
    ordered = wide.reindex(index=rows, columns=table.index.unique("mix"))
    return ordered.rename_axis(columns=None)
