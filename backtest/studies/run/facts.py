"""What the page says around its tables: the standard, the limits, the data, how to rerun."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from backtest.account.haircuts import load_schedule
from backtest.estimators.fits import MISSED, RIVAL, Certificate, Certificates
from backtest.instruments import parse_instrument
from backtest.model.opened_files import opened_facts
from backtest.parameters.sources import source_facts
from backtest.replay.study import Study
from backtest.scores.models.paired import FEWEST_DAYS
from backtest.studies.run.figures.ladder import has_bounds
from backtest.studies.run.verdict import mixed_pools

DAYS_IN_LINE = 8  # dropped days that one line can name
ACCRUING = {"bond", "bill", "swap"}  # contracts whose value moves as time passes, yields at rest
# Limits of what the numbers can show, a sentence or two each; `limits` says which of them apply.
SIMULATED = (
    "Prices are SIMULATED. Nothing here is evidence about any market; only a run on real prices is."
)
FAMILIES = (
    "No clearing house runs exactly these models. They stand for families of models under one "
    "standard, without the add-ons, floors and intraday calls that clearing houses use."
)
EQUAL_COVERAGE = (
    "Equal coverage is in-sample: each scale is chosen in hindsight, from about one day "
    "in a hundred. It is printed with its interval, which at 99 % held the truth in 92 "
    "to 100 % of simulated histories where margins follow volatility or its shocks halve within "
    "35 days, in 82 to 95 % where they halve in a year. An interval is unbounded where the record "
    "cannot exclude that its largest loss lies within the coverage. Intervals of two models are "
    "not an interval of their difference."
)
BOUNDS = (
    "The bounds of the offset ladder are for each book on its own, without a correction "
    "for the number of books. Resampling adds no information beyond the few exceedances "
    "observed. The share of unsafe bounds, measured in simulated worlds whose correlation drifts "
    "or does not, is printed beside each of them; above 8 % read the bound as an estimate."
)
NO_BOUNDS = (
    "The offset ladder is a point estimate and carries no bound here. An offset of a point "
    "or two may be chance, of either sign."
)
REBALANCED = (
    "Positions are constant USD, rebalanced daily at no cost, so that risk is comparable "
    "over the years; a real book drifts."
)
PAR_YIELDS = (
    "Treasury profit and loss is that of a par bond repriced on the par yield curve. Par "
    "yields are fitted, not traded prices; bid-ask, specialness and the futures basis are "
    "not in them."
)
CARRY = (
    "Losses contain what bonds earn while the MPOR passes, carry and roll-down; the scenarios of "
    "margin models move yields and let no time pass. Where a bond earns, a short position pays: it "
    "has more exceedances than its scenarios alone would give, and a long one fewer. A book whose "
    "coverage is rejected with carry and not without: docs/limitations.md."
)
CURVE_FUTURES = (
    "Futures named '~curve' are approximate: a forward on a par bond, with no cheapest-to-"
    "deliver option, conversion factor or repo rate."
)
SWAPS = (
    "Swaps are approximate: the Treasury par curve stands in for the SOFR curve, so a "
    "swap against a Treasury shows none of the risk of the swap spread."
)
SPLICES = (
    "Front-month futures: the splice of each roll is taken out (listed below), so on that "
    "day a future moves as what it was measured against, without its own basis."
)
CLOSES = (
    "A crypto level is the close of its date, three to four hours after the bond market's. "
    "Moves in between fall on different days in the two legs, which blurs dependence."
)
OVERLAP = (
    "Overlapping losses: one move can be an exceedance on several days. Coverage p and the "
    "intervals allow for it; the bare counts do not."
)
FEW_TAIL_DAYS = (
    "A record of some years at 99 % has few days in the tail: a model that is not rejected has "
    "not been shown to be right."
)
NO_PAIRS = (
    f"Fewer than {FEWEST_DAYS} scored days show nothing about how differences between models vary: "
    "there is no table of pairs."
)


def standard_note(study: Study) -> str:
    """Note under every table: the standard, how positions are kept over time, the scored days."""
    origin = study.provenance
    return f"{origin.held_to.sentence()}; {origin.scored.sentence()}."


def prices_line(study: Study) -> str:
    """Where prices come from, their days, and the days that were dropped, in one line."""
    data = study.provenance.prices
    line = f"{data.sentence()}; {data.span()}, {data.dropped_count} dropped{_in_line(data.dropped)}"
    if data.missing:
        line += f", {len(data.missing)} sessions without data{_in_line(data.missing)}"
    return line


def _in_line(days: Sequence[str]) -> str:
    """The days in brackets while they fit on a line; the section on data names all."""
    return f" ({', '.join(days)})" if 0 < len(days) <= DAYS_IN_LINE else ""


def fits_sentence(study: Study) -> str:
    """How the fits of each model ended; empty where none was made."""
    models = (f"{name} {fits_words(laws)}" for name, laws in study.provenance.fits.items())
    return f"Fits: {'; '.join(models)}." if study.provenance.fits else ""


def omissions_sentence(study: Study) -> str:
    """What models leave out because prices start too late; empty where nothing is left out."""
    by_model = study.provenance.omissions.items()
    return " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in by_model)


def limits(study: Study, ladder: pd.DataFrame, portfolios: list[str]) -> list[str]:
    """The limits that apply to this study, in the order in which the page lists them."""
    prices, columns = study.provenance.prices, study.exposure.columns
    kinds = set(prices.factors.values())
    # Bonds and crypto close at different hours; that matters only to a book that holds both.
    two_closes = {"yield", "price"} <= kinds and mixed_pools(study, portfolios)
    bounds = has_bounds(ladder)
    contracts = {parse_instrument(name).contract for name in columns}
    curve_futures = bool(columns.str.contains("~curve", regex=False).any())
    conditions = {
        SIMULATED: study.simulated,
        FAMILIES: True,
        EQUAL_COVERAGE: True,
        BOUNDS: bounds,
        NO_BOUNDS: len(ladder) and not bounds,
        REBALANCED: study.provenance.held_to.daily,
        PAR_YIELDS: "yield" in kinds,
        CARRY: bool(contracts & ACCRUING) or curve_futures,
        CURVE_FUTURES: curve_futures,
        SWAPS: "swap" in contracts,
        SPLICES: prices.adjusted,
        CLOSES: two_closes,
        OVERLAP: True,
        FEW_TAIL_DAYS: True,
        NO_PAIRS: len(study.models) > 1 and len(study.scored) < FEWEST_DAYS,
    }
    return [limit for limit, holds in conditions.items() if holds]


def facts_of_data(study: Study) -> list[tuple[str, str]]:
    """Source, hashes, windows and dropped days."""
    data, window = study.provenance.prices, study.provenance.scored
    facts = [
        ("source", data.sentence()),
        ("prices", data.span()),
        ("scored", window.sentence()),
        ("factors", ", ".join(f"{name} ({kind})" for name, kind in data.factors.items())),
        ("sha256 of the levels", data.levels_sha256),
    ]
    facts += [("read", file.read_as) for file in data.files if file.read_as]
    facts += [(f"sha256 of {file.name}", file.sha256) for file in data.files]
    facts += [
        (f"margins on {names} look back to", day)
        for names, day in study.provenance.histories.items()
    ]
    facts.append((f"days dropped ({data.dropped_count:,})", ", ".join(data.dropped) or "none"))
    if data.adjusted:
        jumps = ", ".join(f"{a.factor} {a.date} {a.jump:+.2%}" for a in data.adjusted)
        facts.append((f"splice jumps removed ({len(data.adjusted):,})", jumps))
    facts += data.doubts()
    if data.clock != "business":
        facts.append(("clock", f"{data.clock}: every calendar day is a margin day"))
    if data.missing:
        facts.append((f"sessions without data ({len(data.missing):,})", ", ".join(data.missing)))
    return facts


def facts_of_run(study: Study) -> list[tuple[str, str]]:
    """Seed, versions, commit, terms, models and the causality audit."""
    origin = study.provenance
    software, account = origin.software, origin.terms
    facts = [("seed", str(origin.seed)), ("bootstrap resamples", f"{origin.resamples:,}")]
    # A study run from Python has no file, and so no hash of one.
    if origin.sha256:
        facts.append(("sha256 of study and prices", origin.sha256))
        facts.append(("sha256 of the study", origin.study_sha256))
    facts.append(("versions", ", ".join(f"{n} {v}" for n, v in software.versions.items())))
    state = " with uncommitted changes" if software.dirty else ""
    commit = f"{software.commit}{state}" if software.commit else "not run from a checkout"
    terms = (
        f"{account.lag_words()}, minimum transfer {account.minimum_transfer:,.0f} USD, "
        f"{_collateral(account.collateral)}, excess {account.excess}"
    )
    facts += [("commit", commit), ("collateral account", terms)]
    facts += [(f"model {name}", words) for name, words in origin.models.items()]
    facts += opened_facts(origin.opened)
    facts += origin.rule_facts()
    facts += source_facts(origin.parameters)
    facts += [(f"fits of {name}", fits_words(fits)) for name, fits in origin.fits.items()]
    facts += origin.certificates()
    return facts


def fits_words(laws: Certificates) -> str:
    """How the fits of a model ended, law by law.

    Examples
    --------
    >>> fits_words({"GARCH-t": Certificate(136, at_bound=9, rivals=5, closest=0.02)})
    '136 fits of GARCH-t: 9 at a bound, 5 with a second peak within 0.3 log-likelihood'
    >>> fits_words({"CAViaR symmetric": Certificate(8, least_gain=-0.4)})
    '8 fits of CAViaR symmetric: 0 at a bound, 0 with a second peak within 0.3 log-likelihood, \
one 0.4 below its reference'
    >>> fits_words({"GARCH-t": Certificate(50, failed=1), "Cornish-Fisher": Certificate(90)})
    '50 fits of GARCH-t: 0 at a bound, 0 with a second peak within 0.3 log-likelihood, 1 not \
converged (the last good parameters stayed); 90 fits of Cornish-Fisher: 0 at a bound'
    """
    return "; ".join(_law_words(law, certificate) for law, certificate in laws.items())


def _law_words(law: str, certificate: Certificate) -> str:
    """One law; only what has a likelihood has second peaks."""
    words = f"{certificate.tried:,} fits of {law}: {certificate.at_bound:,} at a bound"
    if law != "Cornish-Fisher":
        words += f", {certificate.rivals:,} with a second peak within {RIVAL} log-likelihood"
    if certificate.at_floor:
        words += f", {certificate.at_floor:,} at the floor of the degrees of freedom"
    if certificate.least_gain is not None and certificate.least_gain < -MISSED:
        words += f", one {-certificate.least_gain:.2g} below its reference"
    if certificate.failed:
        words += f", {certificate.failed:,} not converged (the last good parameters stayed)"
    return words


def _collateral(mix: str | dict[str, Any]) -> str:
    """'cash', or the shares of a mix with its haircuts."""
    if isinstance(mix, str):
        return mix
    assets = (
        f"{share:.0%} {name} (haircut {mix['rates'][name]:.1%})"
        for name, share in mix["shares"].items()
    )
    words = f"{', '.join(assets)}, valued at close-out {mix['at_closeout']}"
    # A capital charge is made for a dealer's own positions; a reader should know it is no haircut.
    charges = [n for n in mix["haircuts"] if load_schedule(n).kind == "capital charge"]
    if charges:
        words += f" ({', '.join(charges)}: capital charges on proprietary positions, no haircuts)"
    return words
