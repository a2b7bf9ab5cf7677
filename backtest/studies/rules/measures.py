"""What a rule's numbers are asked for: margins, costs of closing out, stress, what is posted.

A sensitivity asks each measure that reads a file, once with the file as it is and once with a term
moved. Margins alone would leave haircuts of collateral, costs of close-out and whoever stands
behind a margin silent.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

from backtest.account.assets import TokenisedFund, parse_asset, proceeds
from backtest.account.haircuts import FOLDER, load_schedule
from backtest.account.mix import published_haircut
from backtest.book.liquidation import LiquidationCost
from backtest.model.protocol import MarginModel
from backtest.parameters.files import rules
from backtest.parameters.in_force import in_force, version_on
from backtest.parameters.sources import parameter_sources
from backtest.stress import packaged_scenarios, stress_losses
from backtest.studies.rules.effects import PackagedBooks, packaged_models
from backtest.studies.rules.protected import STUDY, ProtectedAccounts
from backtest.types import StudyError

Only = Collection[str] | None
POSTED = 100e6  # USD, the gross of a packaged book
ASSETS = ("BILL3M", "UST2Y", "UST5Y", "UST10Y", "UST30Y", "BTC", "ETH", "USDC", "BILL-FUND")


@dataclass(frozen=True)
class Measure:
    """A number of USD for each of several books, and the versions that it reads.

    `of(None)` gives it by book, without the books that are refused; `of(names)` of these books,
    where a refusal is an error.
    """

    name: str
    reads: frozenset[str]
    of: Callable[[Only], dict[str, float]]


def all_measures(books: PackagedBooks, day: date) -> Iterator[Measure]:
    """Everything that reads a rule, with the versions of a day.

    What is posted and who bears losses is no book's, and is asked with the default study's alone.
    """
    for name, model in packaged_models():
        yield _margin(books, name, in_force(model, day))
    yield _closing(books, version_on("liquidation", day))
    yield _stressed(books, version_on("stress_scenarios", day))
    for rule in rules() if not books.study else ():
        if rule.startswith(FOLDER):
            yield _posted(books, version_on(rule, day), day)
    if not books.study:
        accounts = ProtectedAccounts(books.market, day)
        yield Measure(f"accounts of {STUDY}", accounts.reads, accounts.amounts)


def _margin(books: PackagedBooks, name: str, model: MarginModel) -> Measure:
    reads = frozenset(source.name for source in parameter_sources(model))
    return Measure(name, reads, lambda only: books.margins(model, only=only))


def _closing(books: PackagedBooks, version: str) -> Measure:
    """Cost of closing each packaged book out on the last day: half the bid-offer and impact."""

    def cost(only: Only) -> dict[str, float]:
        usd = LiquidationCost(version).cost(
            books.market,
            books.book.instruments,
            exposure=books.book.exposure,
            index=books.book.unit_index(books.market),
        )[-1]
        return dict(zip(books.book.portfolios, map(float, usd), strict=True))

    return Measure("cost of closing out", frozenset({version}), cost)


def _stressed(books: PackagedBooks, version: str) -> Measure:
    """Largest loss of each packaged book in any packaged scenario, from the last day's levels."""

    def largest(only: Only) -> dict[str, float]:
        market, last = books.market, len(books.market.dates) - 1
        losses = stress_losses(
            market,
            books.book,
            packaged_scenarios(market, last, rule=version),
            coverage=books.coverage,
            day=str(market.dates[last]),
        ).sum(axis=2)
        # To the cent: legs that cancel leave rounding, which is no loss.
        worst = losses.max(axis=0).round(2)
        return dict(zip(books.book.portfolios, map(float, worst), strict=True))

    return Measure("largest stress loss", frozenset({version}), largest)


def _posted(books: PackagedBooks, version: str, day: date) -> Measure:
    """Of 100m USD of each asset that a schedule lists, what counts after haircut.

    A schedule of margin rates is no haircut: of 100m USD of each listed price, the charge.
    """
    if load_schedule(version).kind == "margin rate":

        def charged(only: Only) -> dict[str, float]:
            return {name: POSTED * rate for name, rate in load_schedule(version).price.items()}

        return Measure(f"charge by {version}", frozenset({version}), charged)

    def value(only: Only) -> dict[str, float]:
        return {
            name: value
            for name in ASSETS
            if (value := _after_haircut(name, version, books)) is not None
        }

    fund = version_on("tokenised_fund", day)
    return Measure(f"value posted by {version}", frozenset({version, fund}), value)


def _after_haircut(name: str, version: str, books: PackagedBooks) -> float | None:
    """USD that count of 100m USD of an asset; None where the schedule does not list it."""
    asset = parse_asset(name)
    load_schedule(version)  # a file that fits no schedule is an error, an asset not in it is none
    try:
        haircut = published_haircut(asset, (version,))
    except StudyError:
        return None
    cash = POSTED * (1.0 - haircut)
    if isinstance(asset, TokenisedFund):  # pays later, and less than the bills it is marked by
        days = books.coverage.longest
        marked = 1.0 + asset.pnl(books.market, days)[-1 - days]
        cash *= float(proceeds(asset, books.market, days)[-1 - days] / marked)
    return cash
