"""The page of `backtest clocks`: what the calendar does to coverage, cost and correlation."""

from backtest.present.exhibit import Exhibit, Section
from backtest.studies.clocks.answer import clocks_answer
from backtest.studies.clocks.figures import WEEKDAYS, correlation_by_horizon, exceedances_by_weekday
from backtest.studies.clocks.study import ClockStudy

CAPTION = (
    "Crypto trades every day, Treasuries on five. On the business clock a weekend is one step and "
    "the MPOR counts business days; on the 24/7 clock crypto is struck, margined and closed out on "
    "every calendar day, while Treasuries keep their last close (a missing return, not a return of "
    "zero) and are closed out over their own days. The books are the study's named books that hold "
    "crypto, in the same USD on both clocks and over the same dates. An MPOR of the same number is "
    "shorter in hours on the 24/7 clock, so lower margins there do not come from calling more "
    "often alone; and a lookback of as many scenarios covers fewer months. No replay of prices can "
    "say whether a default is in fact closed out on a Saturday. Exceedances on overlapping MPORs "
    "come in runs: a few dozen of them count for far fewer independent days."
)
DAYS_TEXT = (
    "Margin days of each clock; 'dropped' lack the price of a factor that sets the days (or are no "
    "session of the study's calendar), and are listed in the manifest. SIFMA sessions without "
    "Treasury prices are mostly those dropped; SIFMA recommends, and the bond market may differ."
)
VARIANCE_TEXT = (
    "Squared daily log returns of UTC closes, on Saturdays and Sundays against all days. Steps "
    "over a day without a close are left out. 'per day' is a weekend day's variance as a multiple "
    "of the average day's."
)
WEEKDAYS_TEXT = (
    "Over all crypto books, by weekday of strike; the account of the 24/7 clock is called in cash. "
    "On the business clock, with an MPOR of two days, a strike on Thursday or Friday is held over "
    "a weekend, four calendar days instead of two, against a margin that is the same for every "
    "weekday."
)
WEEKENDS_TEXT = (
    "Share of strikes, exceedances and excess for which the MPOR of an instrument that trades at "
    "weekends contains a Saturday or Sunday. Where the share of the excess is above that of the "
    "strikes, weekends are covered worse than other days. On screen: all crypto books together."
)
SETTINGS_TEXT = (
    "Means over strikes and crypto books in USD; breaches, calls and what is called at weekends a "
    "book and year; shortfall on breach days. 'weekends not "
    "settled' holds the 24/7 clock's margins, sized for calendar days, against losses over "
    "business days: the breaches that settling at weekends avoids at the same collateral. 'no "
    "calls on closed days' keeps the requirement of the last Treasury day; it differs "
    "from 'cash' by what weekend calls cost and cover. 'cash' settles calls on days on which "
    "Fedwire is open, 'stablecoin' on every calendar day."
)
CORRELATION_TEXT = (
    "P&Ls of long positions on the business clock, overlapping; intervals are two-sided 95 % of a "
    "stationary bootstrap (mean block 20 days, 40 at ten); they held 83 to 95 % of truths in "
    "simulated worlds, and another seed moves an end by up to .015. Crypto closes three to four "
    "hours after bonds, which biases same-day correlations at one day towards zero; "
    "Hayashi-Yoshida adds the bond's next day, whose hours overlap. A weekend of crypto falls in "
    "Monday's return, which the bond's spans too. Nothing is filled forward."
)
SHARES = dict.fromkeys(
    ("weekend_days", "weekend_variance", "strikes", "exceedance_share", "excess_share"), ".1%"
)
BRIEF_SETTINGS = {
    "mean_margin": "margin",
    "exceedance_rate": "exceeded",
    "breaches_a_year": "breaches",
    "mean_shortfall": "shortfall",
    "calls_a_year": "calls",
    "weekend_calls_a_year": "weekend calls",
    "weekend_usd_a_year": "called, USD",
}
MONEY = ("excess", "margin", "shortfall", "called, USD")


def clock_exhibit(study: ClockStudy) -> Exhibit:
    """All sections of a clock study, in the order in which they are read."""
    return Exhibit(
        kind="clocks",
        title="The business clock and the 24/7 clock",
        answer=clocks_answer(study),
        caption=CAPTION,
        simulated=study.around.market.simulated,
        source_line=_source_line(study),
        sections=_sections(study),
        provenance=study.provenance,
        text=study.text,
    )


def _sections(study: ClockStudy) -> tuple[Section, ...]:
    """Table, text and figure of each result, in the order in which they are read."""
    version, market = study.provenance.software.sentence(), study.business.market
    footnote = f"Source: {_source_line(study)} {version}."
    around = study.around.market
    window = (
        f"{market.source}; business clock, {market.dates[0]} .. {market.dates[-1]}, "
        f"n = {int(study.correlation['days'].max()):,} one-day P&Ls."
    )
    simulated = study.around.market.simulated
    return (
        Section(
            "days",
            "Margin days",
            DAYS_TEXT,
            study.days,
            source_line=f"{around.source}, {around.dates[0]} .. {around.dates[-1]}.",
        ),
        Section(
            "variance",
            "Crypto variance earned at weekends",
            VARIANCE_TEXT,
            study.variance,
            formats=SHARES
            | dict.fromkeys(("sd_weekday", "sd_weekend"), ".2%")
            | {"per_day": ".2f"},
            source_line=(
                f"{around.source}, {around.dates[0]} .. {around.dates[-1]}; n = "
                + ", ".join(f"{n:,} of {coin}" for coin, n in study.variance["days"].items())
                + " daily returns."
            ),
        ),
        Section(
            "weekdays",
            "Exceedances and breaches by weekday of strike",
            WEEKDAYS_TEXT,
            study.weekdays,
            brief=study.weekdays[[*WEEKDAYS, "all"]],
            figure=exceedances_by_weekday(
                study.weekdays, study.coverage, footnote=footnote, simulated=simulated
            ),
        ),
        Section(
            "weekends",
            "The weekend's share of the excess",
            WEEKENDS_TEXT,
            study.weekends,
            brief=study.weekends.query("portfolio == 'all'").droplevel("portfolio"),
            formats=SHARES | dict.fromkeys(MONEY, ",.0f"),
        ),
        Section(
            "settings",
            "What margining at weekends costs, and avoids",
            SETTINGS_TEXT,
            study.settings,
            brief=study.settings[list(BRIEF_SETTINGS)].rename(columns=BRIEF_SETTINGS),
            formats=dict.fromkeys(MONEY, ",.0f")
            | dict.fromkeys(("breaches", "weekend calls"), ".2f")
            | {"exceeded": ".2%", "calls": ".0f"},
        ),
        Section(
            "correlation",
            "Correlation of crypto with Treasuries by horizon",
            CORRELATION_TEXT,
            study.correlation,
            formats=dict.fromkeys(("correlation", "low", "high"), "+.2f") | {"days": ",.0f"},
            source_line=window,
            figure=correlation_by_horizon(
                study.correlation, footnote=f"Source: {window} {version}.", simulated=simulated
            ),
        ),
    )


def _source_line(study: ClockStudy) -> str:
    """Source, window, observations and standard, in one line."""
    window, days = study.provenance.scored, study.days["scored"]
    return (
        f"{study.business.market.source}; {len(study.around.book.portfolios)} books that hold "
        f"crypto, scored {window.first_scored} .. {window.last_scored}, {days['business']:,} "
        f"business and {days['24/7']:,} calendar days; {study.provenance.held_to.sentence()}. "
        "The MPOR counts each instrument's own days."
    )
