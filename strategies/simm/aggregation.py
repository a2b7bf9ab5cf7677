"""From sensitivities to margin: buckets, risk classes, products, as a tree of numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from backtest.types import FloatArray
from strategies.simm.parameters import Figures, RiskClass
from strategies.simm.sensitivity import Sensitivity
from strategies.simm.tables import NORMAL_995, RESIDUAL

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Node:
    """A margin (USD, any shape) and the amounts from which it is aggregated."""

    name: str
    value: FloatArray
    children: tuple["Node", ...] = ()

    def __getitem__(self, name: str) -> "Node":
        return next(child for child in self.children if child.name == name)


def simm_margin(sensitivities: Sequence[Sensitivity], figures: Figures) -> Node:
    r"""SIMM of sensitivities: product, risk class, measure, bucket, weighted sensitivity.

    .. math::
        WS_k = RW_k s_k CR_k, \qquad
        K_b = \sqrt{\sum_{kl} \rho_{kl} f_{kl} WS_k WS_l}, \qquad
        \text{delta} = \sqrt{\sum_b K_b^2 + \sum_{b \ne c} \gamma_{bc} g_{bc} S_b S_c}
                       + K_{res}

    with S_b the sum of the WS of a bucket within +-K_b, CR the root of a position over its
    concentration threshold (at least 1) and f, g the smaller over the larger CR. Vega the same;
    for curvature see `curvature_margin`. The measures of a risk class are added, the classes of a
    product correlated, the products added: no product offsets another.

    All amounts have one shape, and every value of the tree has it too.

    References
    ----------
    ISDA (2018). ISDA SIMM Methodology, version 2.1, sections B-D.

    Examples
    --------
    >>> from .parameters import load_simm
    >>> coal = [Sensitivity("Commodity", "commodity", "delta", "1", name, np.array(usd))
    ...         for name, usd in (("Coal Americas", 3e6), ("Coal Europe", -5e6))]
    >>> tree = simm_margin(coal, load_simm("simm/2.1"))
    >>> f"{tree.value:,.2f}"
    '96,694,880.94'
    """
    net = _netted([*sensitivities, *_curvature(sensitivities, figures)], figures)
    products = []
    for product, of_product in _grouped(net, lambda s: s.product).items():
        risks = []
        for risk, of_risk in _grouped(of_product, lambda s: s.risk).items():
            measures = tuple(
                _measure_margin(measure, members, figures.risk_class(risk))
                for measure, members in _grouped(of_risk, lambda s: s.measure).items()
            )
            risks.append(summed(risk, measures))
        # Correlations between classes are used inside a product only, so crypto in its own
        # product is added to rates, whatever the signs of the two.
        products.append(Node(product, correlated(risks, figures), tuple(risks)))
    return summed("SIMM", tuple(products))


def correlated(risks: Sequence[Node], figures: Figures) -> FloatArray:
    """Margins of classes of risk together, by the correlations of the classes."""
    square = sum(
        a.value * b.value * figures.correlation(a.name, b.name) for a in risks for b in risks
    )
    return np.sqrt(np.maximum(square, 0.0))


def _curvature(sensitivities: Iterable[Sensitivity], figures: Figures) -> list[Sensitivity]:
    """Curvature of each vega: SF(t) sigma vega, SF = min(1, days of the horizon / t) / 2."""
    curvatures = []
    for s in sensitivities:
        table = figures.risk_class(s.risk)
        if s.measure == "vega" and table.has_curvature(s.bucket):
            scale = 0.5 * np.minimum(1.0, table.days / np.maximum(s.expiry, 1e-9))
            curvatures.append(replace(s, measure="curvature", amount=s.amount * scale))
    return curvatures


def _netted(sensitivities: Iterable[Sensitivity], figures: Figures) -> list[Sensitivity]:
    """One sensitivity per factor; vega and curvature times the volatility of their class."""
    net = []
    for same_factor in _grouped(sensitivities, lambda s: s.factor).values():
        first, amount = same_factor[0], np.add.reduce([s.amount for s in same_factor])
        if first.measure in ("vega", "curvature"):
            amount = amount * figures.risk_class(first.risk).volatility(first)
        net.append(replace(first, amount=amount))
    return net


def _measure_margin(measure: str, sensitivities: Sequence[Sensitivity], table: RiskClass) -> Node:
    """Margin of one measure of one risk class, with its buckets."""
    # Correlations of curvature are the squares of those of delta: curvature is of second order in
    # the same factors. Concentration raises weights before anything offsets.
    buckets, concentration = [], {}
    power = 2 if measure == "curvature" else 1
    for bucket, of_bucket in _grouped(sensitivities, lambda s: s.bucket).items():
        ratio = _concentration(of_bucket, table)
        weights = [
            _weight(s, table) * (1.0 if s.tenor == "basis" else ratio[s.qualifier])
            for s in of_bucket
        ]
        leaves = tuple(
            Node(f"{s.qualifier} {s.tenor} {s.curve}".strip(), s.amount * weight)
            for s, weight in zip(of_bucket, weights, strict=True)
        )
        square = np.zeros_like(leaves[0].value)
        for a, leaf_a in zip(of_bucket, leaves, strict=True):
            for b, leaf_b in zip(of_bucket, leaves, strict=True):
                rho = 1.0 if a is b else _within(a, b, table) ** power
                concentration_ratio = _smaller_over_larger(ratio[a.qualifier], ratio[b.qualifier])
                square = square + rho * concentration_ratio * leaf_a.value * leaf_b.value
        buckets.append(Node(bucket, np.sqrt(np.maximum(square, 0.0)), leaves))
        concentration[bucket] = next(iter(ratio.values())) if of_bucket[0].risk == "rates" else 1.0
    if measure == "base correlation":
        return summed(measure, tuple(buckets))
    if measure == "curvature":
        return Node(measure, curvature_margin(buckets, table), tuple(buckets))
    residual = [b.value for b in buckets if b.name == RESIDUAL]
    value = _across([b for b in buckets if b.name != RESIDUAL], table, concentration, power)
    return Node(measure, np.add.reduce([value, *residual]), tuple(buckets))


def curvature_margin(buckets: Sequence[Node], table: RiskClass) -> FloatArray:
    r"""Curvature margin of a risk class; the leaves of its buckets are the CVR.

    .. math:: \max(0, \; \textstyle\sum CVR + \lambda K), \qquad
              \lambda = (\Phi^{-1}(0.995)^2 - 1)(1 + \theta) - \theta, \qquad
              \theta = \min(0, \textstyle\sum CVR / \sum |CVR|)

    with squared correlations; the residual bucket is computed separately and added.
    """
    total: FloatArray = np.zeros_like(buckets[0].value)
    for residual in (False, True):
        counted = [b for b in buckets if (b.name == RESIDUAL) == residual]
        if counted:
            without_concentration = dict.fromkeys((b.name for b in counted), 1.0)
            total = total + curved(counted, _across(counted, table, without_concentration, 2))
    return table.curvature_scale * total


def curved(buckets: Sequence[Node], spread: FloatArray) -> FloatArray:
    """max(0, sum CVR + lambda spread) of the leaves of some buckets, as in `curvature_margin`."""
    leaves = [leaf.value for b in buckets for leaf in b.children]
    net, size = np.add.reduce(leaves), np.add.reduce([np.abs(leaf) for leaf in leaves])
    theta = np.minimum(np.divide(net, size, out=np.zeros_like(net), where=size > 0), 0.0)
    reach = (NORMAL_995**2 - 1.0) * (1.0 + theta) - theta
    return np.maximum(net + reach * spread, 0.0)


def _across(
    buckets: Sequence[Node],
    table: RiskClass,
    concentration: Mapping[str, FloatArray | float],
    power: int,
) -> FloatArray:
    """Square root of the buckets' squares and correlated sums; 0.0 without buckets."""
    square: FloatArray = np.array(0.0)
    for a in buckets:
        square = square + a.value**2
        for b in buckets:
            if a is not b:
                gamma = table.between(a.name, b.name) ** power
                concentration_ratio = _smaller_over_larger(
                    concentration[a.name], concentration[b.name]
                )
                square = square + gamma * concentration_ratio * _within_reach(a) * _within_reach(b)
    return np.sqrt(np.maximum(square, 0.0))


def _within_reach(bucket: Node) -> FloatArray:
    """S_b: the sum of the weighted sensitivities of a bucket, limited to +-K_b."""
    return np.clip(
        np.add.reduce([leaf.value for leaf in bucket.children]), -bucket.value, bucket.value
    )


def _concentration(
    sensitivities: Sequence[Sensitivity], table: RiskClass
) -> dict[str, FloatArray | float]:
    """CR by qualifier: square root of its net position over the threshold, at least 1."""
    ratios: dict[str, FloatArray | float] = {}
    for name, same_name in _grouped(sensitivities, lambda s: s.qualifier).items():
        without_basis = [s for s in same_name if s.tenor != "basis"]
        if not without_basis or without_basis[0].measure in ("curvature", "base correlation"):
            ratios[name] = 1.0
            continue
        net = np.abs(np.add.reduce([s.amount for s in without_basis]))
        ratios[name] = np.maximum(1.0, np.sqrt(net / table.threshold(without_basis[0])))
    return ratios


def _weight(s: Sensitivity, table: RiskClass) -> float:
    if s.measure == "curvature":
        return 1.0
    if s.measure == "base correlation":
        return _base(table)[0]
    return table.weight(s)


def _within(a: Sensitivity, b: Sensitivity, table: RiskClass) -> float:
    return _base(table)[1] if a.measure == "base correlation" else table.within(a, b)


def _base(table: RiskClass) -> tuple[float, float]:
    base_correlation = getattr(table, "base_correlation", None)
    return (
        (0.0, 0.0)
        if base_correlation is None
        else (base_correlation.weight, base_correlation.correlation)
    )


def _smaller_over_larger(a: FloatArray | float, b: FloatArray | float) -> FloatArray | float:
    return np.minimum(a, b) / np.maximum(a, b)


def summed(name: str, children: tuple[Node, ...]) -> Node:
    """Sum of margins, as a node above them."""
    return Node(name, np.add.reduce([c.value for c in children]), children)


def _grouped(
    sensitivities: Iterable[Sensitivity], key: Callable[[Sensitivity], Key]
) -> dict[Key, list[Sensitivity]]:
    groups: dict[Key, list[Sensitivity]] = {}
    for s in sensitivities:
        groups.setdefault(key(s), []).append(s)
    return groups
