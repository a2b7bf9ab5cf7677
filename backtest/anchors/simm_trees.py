"""SIMM: trees of margins that others printed of a whole CRIF."""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.anchors.anchor import Anchor, AnchorSet
from backtest.anchors.golden import Held, Table, text_of
from backtest.anchors.simm import EXAMPLE, horizon_of, readable, version_of
from backtest.types import DataError, shown
from strategies.simm.aggregation import Node
from strategies.simm.crif import read_crif
from strategies.simm.parameters import Horizon, load_simm
from strategies.simm.portfolio import Side, by_regulation, margin_rows, simm_of_crif

ENGINE = "OpenSourceRisk/Engine, Examples, InitialMargin"
COLUMNS = ("ProductClass", "RiskClass", "MarginType", "Bucket")
# How the public example's tree names risk classes and measures, and how they are named here; others
# differ in their capitals alone.
NAMES = {
    "CreditQualifying": "credit_qualifying",
    "CreditNonQualifying": "credit_other",
    "BaseCorrelation": "base correlation",
}

Margins = dict[tuple[str, ...], float]


def _portfolio(star: str, paths: list[Path]) -> AnchorSet:
    """One CRIF and its tree of margins, for the side that calls and the one that posts."""
    expected, path = paths
    version, crif = version_of(star, expected.name), readable(read_crif(path), path.name)
    table = Table.read(expected, (*COLUMNS, "Portfolio", "SimmSide", "Regulation", "InitialMargin"))
    portfolios = set(crif.get("PortfolioID", pd.Series(dtype=str)))
    tree = cache(partial(_margins, crif, version, horizon_of(star)))
    anchors = []
    for place, row in table:
        asked = row["Portfolio"], row["SimmSide"], row["Regulation"]
        where = f"{expected.name}, row {place}"
        if row["SimmSide"] not in ("Call", "Post"):
            raise DataError(f"{where}: SimmSide is {shown(asked[1])}; give Call or Post.")
        if row["Portfolio"] not in {"All", *portfolios}:
            raise DataError(
                f"{where}: Portfolio is {shown(asked[0])}, of which {path.name} has no row; give "
                "the CRIF that it is of."
            )
        key = tuple(row[name] for name in COLUMNS)
        anchors.append(
            Anchor(
                " / ".join((*asked, *key)),
                ENGINE,
                table.printed(place, row, "InitialMargin"),
                partial(_of, tree, asked, key),
                group=f"{row['SimmSide']}, {row['Regulation']}",
            )
        )
    days = "one day" if horizon_of(star) == 1 else "ten days"
    return AnchorSet(
        f"SIMM {version.removeprefix('simm/')}, {days}: a portfolio with its tree",
        tuple(anchors),
        file=expected.name,
    )


def _margins(
    crif: pd.DataFrame,
    version: str,
    horizon: Horizon,
    portfolio: str,
    side: str,
    regulation: str,
) -> Margins:
    """Margin by product, class, measure and bucket of the rows that a regulation covers.

    portfolio : 'All' has the sum over all of them and no finer row.
    """
    if portfolio == "All":
        names = dict.fromkeys(crif["PortfolioID"])
        whole = ("All",) * 4
        parts = [_margins(crif, version, horizon, name, side, regulation) for name in names]
        return {whole: sum(part[whole] for part in parts)}
    which: Side = "call" if side == "Call" else "post"
    covered = by_regulation(crif[crif["PortfolioID"] == portfolio], which)
    if regulation not in covered:
        raise DataError(
            f"no row of {portfolio} is under {regulation}; known: {', '.join(covered)}."
        )
    tree = simm_of_crif(covered[regulation], parameters=version, horizon=horizon, side=which)
    rows = margin_rows(tree, load_simm(version, horizon=horizon))
    keys = (tuple(map(str, key)) for key in rows[list(COLUMNS)].to_numpy())
    return dict(zip(keys, map(float, rows["InitialMargin"]), strict=True))


def _of(tree: Callable[..., Margins], asked: tuple[str, str, str], key: tuple[str, ...]) -> float:
    """One margin; its absence is an answer of its own."""
    margins = tree(*asked)
    if key not in margins:
        raise DataError(f"SIMM has no margin of {' / '.join(key)} here.")
    return margins[key]


def _example(star: str, paths: list[Path]) -> AnchorSet:
    """The tree of a published example, to the cent: the model, products, risks and measures."""
    printed, path = paths
    side: Side = "post" if star == "Pledgor" else "call"
    tree = cache(partial(_example_tree, readable(read_crif(path), path.name), side))
    anchors = tuple(
        Anchor(
            " / ".join(place),
            f"{EXAMPLE}, {printed.stem}",
            value,
            partial(_node, tree, place),
            group=place[0],
        )
        for place, value in _printed_tree(text_of(printed))
    )
    if not anchors:
        raise DataError(f"{printed.name} has no line 'Model SIMM = ...'; give the whole file.")
    return AnchorSet(
        f"SIMM 2.1: the public example, {star.lower()}", anchors, file=f"simm/{printed.name}"
    )


def _example_tree(crif: pd.DataFrame, side: Side) -> Node:
    return simm_of_crif(crif, parameters="simm/2.1", side=side)


def _printed_tree(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """(product, risk class, measure) and the margin printed; () is the model."""
    place: dict[str, str] = {}
    model = ""
    for line in text.splitlines():
        found = re.search(r"(Model|Product|Risk|Sensitivity|Add-on) ?(.*) = ([-\d,.]+)$", line)
        if not found:
            continue
        kind, name, value = found.groups()
        if kind == "Model":
            model = name
        if model != "SIMM":
            continue
        if kind in ("Model", "Add-on"):
            place = {}
        if kind == "Model":
            yield ("total",), value
        elif kind == "Add-on" and not name:
            yield ("add-ons",), value
        elif kind == "Product":
            place = {kind: name}
            yield (name,), value
        elif kind == "Risk":
            place = {"Product": place["Product"], kind: name}
            yield tuple(place.values()), value
        elif kind == "Sensitivity":
            yield (*place.values(), name), value


def _node(tree: Callable[[], Node], place: tuple[str, ...]) -> float:
    """Margin at a place of the printed tree."""
    if place == ("total",):
        return float(tree().value)
    product, *rest = place
    node = tree()[product.replace("RatesFx", "RatesFX")]
    for name in rest:
        node = node[NAMES.get(name, name.lower())]
    return float(np.sum(node.value))


HELD = (
    Held(
        "SIMM, a portfolio with its tree",
        "ore_simm*_expected.csv",
        # One portfolio may have been margined by several versions.
        lambda star: (f"ore_simm{star}_crif.csv or ore_simm*_crif.csv",),
        _portfolio,
    ),
    Held(
        "SIMM 2.1, the public example", "simm/Tree*.txt", lambda star: ("simm/Crif.csv",), _example
    ),
)
