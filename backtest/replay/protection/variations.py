"""What a protection rests on, one thing moved at a time: terms of rules, what a study states."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from backtest.clearing.assumptions import Assumptions, Waterfall
from backtest.clearing.regimes import Regimes
from backtest.clearing.rules import ASSUMED, REGIMES, Rules
from backtest.clearing.structure import Structure
from backtest.parameters.files import header, load_parameters, moved, rule_of
from backtest.parameters.ranges import term_value, with_term
from backtest.replay.protection.protect import Protection, close_out

LAYERS = ("capital", "fund", "assessment")  # of a house, that a study may state
STATED_FACTORS = (0.0, 2.0)  # of resources, capital and funds that a study states


@dataclass(frozen=True, eq=False)
class Variation:
    """A protection's terms with one of them at another value.

    Parameters
    ----------
    term : its name. end : 'low' or 'high'. value : that it has there, and `held` that it has else.
    why : its range is what it is.
    """

    term: str
    end: str
    value: Any
    held: Any
    why: str
    rules: Rules
    structure: Structure
    coordination: float

    def close_out(self, done: Protection, model: str) -> Protection:
        """The accounts of a protection closed out under these terms, margined by one model."""
        return close_out(
            done.margined, self.structure, stated=done.stated,
            arrangements=[setting.arrangement for setting in done.settings.values()],
            models=[model], rules=self.rules, coordination=self.coordination, draws=done.draws,
            seed=done.seed, path=done.path,
        )  # fmt: skip


def variations(done: Protection) -> Iterator[Variation]:
    """Every unverified term of the rules at each end of its range, and what a study states itself.

    Terms that a study states are no assumption of ours; of houses where nothing clears nothing
    depends. Resources, capital and funds that are stated are taken away, and doubled.

    Examples
    --------
    >>> import backtest as bt, pandas as pd, strategies as st
    >>> from backtest.clearing import Member, Structure
    >>> from backtest.replay.protection import protect
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> book = bt.Book.from_frame(pd.DataFrame({"UST10Y": [1e8], "BTC": [5e6]}, index=["fund"]))
    >>> structure = Structure((Member("fund", "A", resources=1e6),))
    >>> done = protect(market, book, {"var": st.HistoricalVaR()}, structure)
    >>> [(v.end, v.value) for v in variations(done) if v.term == "stated resources"]
    [('low', 'x 0'), ('high', 'x 2')]
    """
    rules = next(iter(done.settings.values())).rules
    for version in rules.versions:
        for entry in header(version).uncertain:
            if not entry.moves or not _matters(version, entry.term, rules, done):
                continue
            held = term_value(_tables(version, rules), entry.term)
            for end, value in (("low", entry.low), ("high", entry.high)):
                if value != held:
                    changed = _with_term(rules, version, entry.term, value)
                    yield Variation(
                        f"{version}: {entry.term}", end, value, held, entry.why, changed,
                        done.structure, done.coordination,
                    )  # fmt: skip
    for end, value in (("low", 0.0), ("high", 1.0)):
        if value != done.coordination:
            yield Variation(
                "coordination", end, value, done.coordination,
                "houses never close out jointly; always", rules, done.structure, value,
            )  # fmt: skip
    for term, structure in _stated(done.structure):
        for end, factor in zip(("low", "high"), STATED_FACTORS, strict=True):
            yield Variation(
                term, end, f"x {factor:g}", "as stated", "nothing; twice as much", rules,
                structure(factor), done.coordination,
            )  # fmt: skip


def _matters(version: str, term: str, rules: Rules, done: Protection) -> bool:
    if rule_of(version) == ASSUMED:
        return term not in rules.stated
    place = term.split(".")
    if place[0] == "houses" and len(place) == 3 and place[2] in LAYERS:
        if getattr(done.structure.house(place[1]), place[2]) is not None:
            return False
    return place[0] not in ("houses", "by_house") or place[1] in done.book.silos


def _tables(version: str, rules: Rules) -> dict[str, Any]:
    """Tables of a version, with what a study states in place of assumptions."""
    stated = rules.assumptions.model_dump() if rule_of(version) == ASSUMED else {}
    return load_parameters(version) | stated


def _with_term(rules: Rules, version: str, term: str, value: Any) -> Rules:
    """The rules with one term of one version at another value."""
    with moved(version, with_term(_tables(version, rules), term, value)):
        if rule_of(version) == ASSUMED:
            return replace(rules, assumptions=Assumptions.of(version))
        if rule_of(version) == REGIMES:
            return replace(rules, regimes=Regimes.of(version))
        return replace(rules, waterfall=Waterfall.of(version))


STATED = {
    "stated resources": ("members", "resources"),
    "stated capital of firms": ("firms", "capital"),
    "stated funds of houses": ("houses", "fund"),
}


def _stated(structure: Structure) -> Iterator[tuple[str, Callable[[float], Structure]]]:
    """What a structure states of its customers, firms and houses, as functions of a factor."""
    for what, (place, term) in STATED.items():
        entries = getattr(structure, place)
        each = entries.values() if isinstance(entries, Mapping) else entries
        if any(getattr(one, term) is not None for one in each):
            yield what, partial(_scaled, structure, place, term)


def _scaled(structure: Structure, place: str, term: str, factor: float) -> Structure:
    """The structure with a stated term of all its members, firms or houses times a factor."""

    def scaled(one: Any) -> Any:
        value = getattr(one, term)
        return one if value is None else replace(one, **{term: factor * value})

    entries = getattr(structure, place)
    changed: dict[str, Any] = {
        place: {name: scaled(one) for name, one in entries.items()}
        if isinstance(entries, Mapping)
        else tuple(map(scaled, entries))
    }
    return replace(structure, **changed)
