"""What a CRIF adds to the margin of its sensitivities: fixed amounts, shares, multipliers."""

import pandas as pd

from strategies.simm.aggregation import Node
from strategies.simm.crif import OTHERS, PRODUCTS, RISK_TYPES, Row

MODELS = ("", "simm", "simm-p", "simm-r")  # a row that names no model is one of SIMM


def add_ons(crif: pd.DataFrame, tree: Node) -> dict[str, float]:
    """Add-ons of a CRIF on top of SIMM: fixed, on notionals, on products; USD.

    Notionals of a product are added as absolute amounts. Rows of the schedule are passed over.

    tree : the margin to which product multipliers apply.

    Raises
    ------
    DataError : a risk type or product class that SIMM does not have, no number, or a multiplier
        below 1.

    Examples
    --------
    >>> import numpy as np
    >>> row = {"RiskType": "Param_ProductClassMultiplier", "Qualifier": "Equity", "Amount": "1.5"}
    >>> tree = Node("SIMM", np.array(10.0), (Node("Equity", np.array(10.0)),))
    >>> add_ons(pd.DataFrame([row]), tree)
    {'product Equity': 5.0}
    """
    rows = [Row(number, row) for number, row in enumerate(crif.to_dict("records"), start=1)]
    rows = [row for row in rows if row.text("IMModel").casefold() in MODELS]
    kinds = [row.one_of("RiskType", (*RISK_TYPES, *OTHERS)) for row in rows]
    notionals: dict[str, float] = {}
    for row, kind in zip(rows, kinds, strict=True):
        if kind == "Notional":
            name = row.text("Qualifier").casefold()
            notionals[name] = notionals.get(name, 0.0) + abs(row.number_in("AmountUSD"))
    amounts: dict[str, float] = {}
    for row, kind in zip(rows, kinds, strict=True):
        if kind.startswith("Param_"):
            name, amount = _add_on(row, kind, notionals, tree)
            amounts[name] = amounts.get(name, 0.0) + amount
    return amounts


def _add_on(row: Row, kind: str, notionals: dict[str, float], tree: Node) -> tuple[str, float]:
    """Name and USD of one add-on."""
    if kind == "Param_AddOnFixedAmount":
        return "fixed", row.number_in("AmountUSD")
    name = row.text("Qualifier")
    if kind == "Param_AddOnNotionalFactor":
        share = row.number_in("Amount") / 100
        return f"notional {name}", notionals.get(name.casefold(), 0.0) * share
    product = row.one_of("Qualifier", PRODUCTS)
    multiplier = row.number_in("Amount")
    if multiplier < 1.0:
        raise row.fault("Amount", "a multiplier of a product is at least 1")
    margins = {node.name: float(node.value) for node in tree.children}
    return f"product {product}", margins.get(product, 0.0) * (multiplier - 1.0)
