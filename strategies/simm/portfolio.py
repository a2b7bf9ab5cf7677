"""Margin of a CRIF: both sides, regulations, add-ons, and the rows in which it is reported."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from backtest.types import DataError
from strategies.simm.add_ons import add_ons
from strategies.simm.aggregation import Node, correlated, curved, simm_margin, summed
from strategies.simm.crif import sensitivities
from strategies.simm.parameters import Figures, Horizon, load_simm
from strategies.simm.tables import RESIDUAL

Side = Literal["call", "post"]
ADD_ONS = "add-ons"
REGULATIONS = {"call": "collect_regulations", "post": "post_regulations"}
# Where two regulations ask the same, the first of this list is reported.
PRECEDENCE = (
    *("APRA", "CFTC", "ESA", "FINMA", "KFSC", "HKMA", "JFSA", "MAS", "OSFI", "RBI", "SEC"),
    *("SEC_UNSEG", "USPR", "NONREG", "BACEN", "SANT", "SFC", "UK", "AMFQ", "BANX", "OJK"),
)
CLASSES = {
    "rates": "InterestRate",
    "credit_qualifying": "CreditQualifying",
    "credit_other": "CreditNonQualifying",
    "equity": "Equity",
    "commodity": "Commodity",
    "fx": "FX",
}
MEASURES = {
    "delta": "Delta",
    "vega": "Vega",
    "curvature": "Curvature",
    "base correlation": "BaseCorr",
}
COLUMNS = ["ProductClass", "RiskClass", "MarginType", "Bucket", "InitialMargin"]


def simm_of_crif(
    crif: pd.DataFrame,
    *,
    parameters: str = "simm",
    horizon: Horizon = 10,
    currency: str = "USD",
    side: Side = "call",
) -> Node:
    """Margin of a CRIF with all its components, USD; add-ons, where there are any, in 'add-ons'.

    Parameters
    ----------
    crif : rows as `read_crif` gives them; the amounts are those of the party that calls.
    parameters : version of SIMM, or 'simm' for the latest.
    horizon : margin days, 10 or 1.
    currency : in which margin is calculated: its own exchange rate is no risk, and weights and
        correlations of the others depend on its group. Amounts stay USD.
    side : 'call' is what the party of the file collects, 'post' what it posts: the signs of all
        sensitivities change, which only curvature notices.

    Raises
    ------
    DataError : a row that cannot be read. StudyError : no such version.

    Examples
    --------
    >>> row = {"RiskType": "Risk_IRCurve", "ProductClass": "RatesFX", "Qualifier": "USD",
    ...        "Bucket": "1", "Label1": "10y", "Label2": "OIS", "AmountUSD": 1e6}
    >>> fixed = {"RiskType": "Param_AddOnFixedAmount", "AmountUSD": 5e6}
    >>> tree = simm_of_crif(pd.DataFrame([row, fixed]), parameters="simm/2.8+2506")
    >>> float(tree["RatesFX"].value), float(tree.value)
    (60000000.0, 65000000.0)
    """
    figures = load_simm(parameters, horizon=horizon, currency=currency.upper())
    sign = 1.0 if side == "call" else -1.0
    entries = [
        replace(entry, amount=sign * entry.amount)
        for entry in sensitivities(crif, currency=currency)
    ]
    tree = simm_margin(entries, figures)
    extra = [Node(name, np.array(usd)) for name, usd in add_ons(crif, tree).items()]
    if not extra:
        return tree
    return summed(tree.name, (*tree.children, summed(ADD_ONS, tuple(extra))))


def by_regulation(crif: pd.DataFrame, side: Side) -> dict[str, pd.DataFrame]:
    """Rows under each regulation of a side; under SEC also those under CFTC.

    Rows that name none are left out where others name one; '' where no row does.

    Examples
    --------
    >>> crif = pd.DataFrame({"collect_regulations": ["ESA,USPR", "ESA", ""]})
    >>> {name: list(rows.index) for name, rows in by_regulation(crif, "call").items()}
    {'ESA': [0, 1], 'USPR': [0]}
    """
    column = REGULATIONS[side]
    if column not in crif:
        return {"": crif}
    named = crif[column].fillna("").str.upper()
    sets = named.map(lambda text: {word.strip() for word in text.split(",")} - {""})
    known = set().union(*sets)
    for name in sorted(known - set(PRECEDENCE)):
        raise DataError(f"{column} names {name!r}; known: {', '.join(PRECEDENCE)}.")
    under = {
        name: crif[
            sets.map(lambda of_row, name=name: name in of_row or (name, *of_row) == ("SEC", "CFTC"))
        ]
        for name in PRECEDENCE
        if name in known
    }
    return under or {"": crif}


def decisive_regulation(
    crif: pd.DataFrame,
    side: Side,
    *,
    parameters: str = "simm",
    horizon: Horizon = 10,
    currency: str = "USD",
) -> tuple[str, Node]:
    """The regulation that asks most of a side, and its margin; ties go by `PRECEDENCE`.

    Parameters and errors are those of `simm_of_crif`.

    Examples
    --------
    >>> row = {"RiskType": "Risk_FX", "ProductClass": "RatesFX", "Qualifier": "EUR",
    ...        "AmountUSD": 1e6}
    >>> rows = [row | {"post_regulations": "SEC"}, row | {"post_regulations": "CFTC"}]
    >>> name, tree = decisive_regulation(pd.DataFrame(rows), "post", parameters="simm/2.6")
    >>> name, float(tree.value)
    ('SEC', 14800000.0)
    """
    margins = {
        name: simm_of_crif(
            rows, parameters=parameters, horizon=horizon, currency=currency, side=side
        )
        for name, rows in by_regulation(crif, side).items()
    }
    largest = max(float(tree.value) for tree in margins.values())
    name = next(
        n for n, tree in margins.items() if np.isclose(float(tree.value), largest, rtol=1e-12)
    )
    return name, margins[name]


def margin_rows(tree: Node, figures: Figures) -> pd.DataFrame:
    """The tree as rows of product, class, measure and bucket, with 'All' for each of them summed.

    Classes of a product are correlated, and so is one measure of them; everything else is added.
    Rows of 0 are left out, but for the total. Exchange rates have their currencies as buckets.

    Examples
    --------
    >>> row = {"RiskType": "Risk_FX", "ProductClass": "RatesFX", "Qualifier": "EUR",
    ...        "AmountUSD": 1e6}
    >>> tree = simm_of_crif(pd.DataFrame([row]), parameters="simm/2.6")
    >>> rows = margin_rows(tree, load_simm("simm/2.6"))
    >>> rows[rows.Bucket == "EUR"].to_dict("records")[0]["InitialMargin"]
    7400000.0
    """
    rows = list(_rows(tree, figures))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    sums = frame[frame.Bucket == "All"].groupby(["RiskClass", "MarginType"], sort=False)
    everywhere = sums["InitialMargin"].sum().reset_index()
    everywhere = everywhere.assign(ProductClass="All", Bucket="All")[COLUMNS]
    frame = pd.concat([frame, everywhere], ignore_index=True)
    is_total = (frame[["ProductClass", "RiskClass", "MarginType"]] == "All").all(axis=1)
    frame.loc[is_total, "InitialMargin"] = float(tree.value)
    return frame[is_total | (frame["InitialMargin"] != 0.0)].reset_index(drop=True)


def _rows(tree: Node, figures: Figures) -> Iterator[tuple[str, str, str, str, float]]:
    """Rows of each product; the margin of a product with what its multiplier adds."""
    added = [add_on for node in tree.children if node.name == ADD_ONS for add_on in node.children]
    multiplied = {node.name.removeprefix("product "): float(node.value) for node in added}
    for node in added:
        yield from _add_on_rows(node)
    for product in tree.children:
        if product.name != ADD_ONS:
            yield from _product_rows(product, figures)
            margin = float(product.value) + multiplied.get(product.name, 0.0)
            yield product.name, "All", "All", "All", margin


def _add_on_rows(node: Node) -> Iterator[tuple[str, str, str, str, float]]:
    kind, _, name = node.name.partition(" ")
    amount = float(node.value)
    if kind == "product":
        yield name, "All", "AdditionalIM", "All", amount
        return
    product = "AddOnFixedAmount" if kind == "fixed" else "AddOnNotionalFactor"
    yield product, "All", "AdditionalIM", "All", amount
    yield product, "All", "All", "All", amount


def _product_rows(product: Node, figures: Figures) -> Iterator[tuple[str, str, str, str, float]]:
    """Measures, classes and buckets of a product, and each measure of its classes together."""
    by_measure: dict[str, list[Node]] = {}
    for risk in product.children:
        for measure in risk.children:
            place = (product.name, CLASSES[risk.name], MEASURES[measure.name])
            yield (*place, "All", float(measure.value))
            for bucket, usd in _buckets(risk, measure):
                yield (*place, bucket, usd)
            by_measure.setdefault(measure.name, []).append(Node(risk.name, measure.value))
        yield product.name, CLASSES[risk.name], "All", "All", float(risk.value)
    for name, risks in by_measure.items():
        yield product.name, "All", MEASURES[name], "All", float(correlated(risks, figures))


def _buckets(risk: Node, measure: Node) -> Iterator[tuple[str, float]]:
    """Margins of the buckets of a measure; of exchange rates those of each rate alone."""
    for bucket in measure.children:
        if risk.name == "fx":
            for leaf in bucket.children:
                yield leaf.name.replace("/", ""), abs(float(leaf.value))
        elif measure.name == "curvature" and bucket.name == RESIDUAL:
            yield bucket.name, float(curved([bucket], bucket.value))
        else:
            yield bucket.name, float(bucket.value)
