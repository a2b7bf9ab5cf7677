"""SIMM in plain loops, from the text of its parameter file, without the package's code."""

import tomllib
from itertools import combinations
from math import sqrt

from tests.support.places import ROOT

FILES = ROOT / "strategies" / "parameters" / "simm"
QUANTILE = 2.5758293035489004**2 - 1.0  # lambda of a curvature that is all of one sign
DAYS = {"w": 7.0, "m": 365.0 / 12.0, "y": 365.0}
CLASSES = {
    "IR": "rates", "In": "rates", "XC": "rates", "FX": "fx", "Eq": "equity", "Co": "commodity",
}  # fmt: skip


def margin_by_hand(rows, version, *, horizon=10, currency="USD", side=1.0):
    """Margin of rows (product, risk type, qualifier, bucket, label 1, label 2, USD)."""
    file = tomllib.loads((FILES / f"{version}.toml").read_text(encoding="utf-8"))
    by_product = {}
    for product, kind, qualifier, bucket, first, second, usd in rows:
        credit = "credit_other" if "NonQ" in kind else "credit_qualifying"
        risk = CLASSES.get(kind[5:7], credit)
        if "Credit" in kind or kind == "Risk_BaseCorr":
            risk = credit
        if kind == "Risk_FX" and qualifier == currency:
            continue
        if kind == "Risk_FXVol":
            qualifier = "/".join(sorted((qualifier[:3], qualifier[3:])))
        group = by_product.setdefault(product, {}).setdefault(risk, {})
        place = {"rates": qualifier, "fx": "all"}.get(risk, bucket)
        measure = "vega" if "Vol" in kind else "base" if kind == "Risk_BaseCorr" else "delta"
        tenor = {"Infl": "inflation", "XCcy": "basis"}.get(kind[5:9], first)
        label = second if "Credit" in kind or kind == "Risk_IRCurve" else ""
        plain = tenor if risk == "rates" or "Credit" in kind else ""
        factor = (qualifier, plain, label)
        net = group.setdefault(measure, {}).setdefault(place, {})
        net.setdefault(factor, []).append((side * usd, first))
    total = 0.0
    for risks in by_product.values():
        sums = {
            risk: sum(
                one_measure(file, risk, name, buckets, horizon, currency)
                for name, buckets in [*measures.items(), *bent(file, risk, measures, horizon)]
            )
            for risk, measures in risks.items()
        }
        names = file["between_classes"]["classes"]
        square = sum(m * m for m in sums.values())
        for a, b in combinations(sums, 2):
            low, high = sorted((names.index(a), names.index(b)))
            rho = file["between_classes"]["triangle"][high][low]
            square += 2 * rho * sums[a] * sums[b]
        total += sqrt(max(square, 0.0))
    return total


def bent(file, risk, measures, horizon):
    """Curvature of the vegas of a class: each row times half of its horizon over its expiry."""
    none = file["bucketed"].get(risk, {}).get("no_curvature", [])
    curved = {}
    for place, factors in measures.get("vega", {}).items():
        if place not in none:
            for factor, parts in factors.items():
                for usd, expiry in parts:
                    days = int(expiry[:-1]) * DAYS[expiry[-1]]
                    scaled = usd * 0.5 * min(1.0, 1.4 * horizon / days)
                    curved.setdefault(place, {}).setdefault(factor, []).append((scaled, expiry))
    return [("curvature", curved)] if curved else []


def one_measure(file, risk, measure, buckets, horizon, currency):
    """Margin of one measure of one class."""
    table = Numbers(file, risk, horizon, currency)
    within, sums, ratios = {}, {}, {}
    for place, factors in buckets.items():
        net = {f: sum(usd for usd, _ in parts) for f, parts in factors.items()}
        if measure in ("vega", "curvature"):
            net = {f: usd * table.volatility(f, place, measure) for f, usd in net.items()}
        names = {}
        for f, usd in net.items():
            if f[1] != "basis":
                names[f[0]] = names.get(f[0], 0.0) + usd
        crowd = {
            name: max(1.0, sqrt(abs(usd) / (1e6 * table.threshold(name, place, measure))))
            if measure in ("delta", "vega")
            else 1.0
            for name, usd in names.items()
        }
        weighted = {
            f: usd
            * table.weight(f, place, measure)
            * (1.0 if f[1] == "basis" else crowd.get(f[0], 1.0))
            for f, usd in net.items()
        }
        square = sum(w * w for w in weighted.values())
        for a, b in combinations(weighted, 2):
            near, far = sorted((crowd.get(a[0], 1.0), crowd.get(b[0], 1.0)))
            rho = table.rho(a, b, place, measure) ** (2 if measure == "curvature" else 1)
            square += 2 * rho * near / far * weighted[a] * weighted[b]
        within[place], sums[place] = sqrt(max(square, 0.0)), list(weighted.values())
        ratios[place] = next(iter(crowd.values()), 1.0) if risk == "rates" else 1.0
    if measure == "base":
        return sum(within.values())
    parts = [[p for p in within if p != "Residual"], [p for p in within if p == "Residual"]]
    if measure != "curvature":
        return sum(table.across(places, within, sums, ratios, 1) for places in parts)
    margin = 0.0
    for places in filter(None, parts):
        flat = [w for p in places for w in sums[p]]
        net, size = sum(flat), sum(map(abs, flat))
        theta = min(net / size, 0.0) if size else 0.0
        spread = table.across(places, within, sums, dict.fromkeys(places, 1.0), 2)
        margin += max(net + (QUANTILE * (1 + theta) - theta) * spread, 0.0)
    return margin / (table.ratio**2 if risk == "rates" else 1.0)


class Numbers:
    """The numbers of one class, looked up in the file as it stands."""

    def __init__(self, file, risk, horizon, currency):
        table = file[risk] if risk in ("rates", "fx") else file["bucketed"][risk]
        one = file["one_day"]
        day = one[risk] if risk in ("rates", "fx") else one["bucketed"][risk]
        self.risk, self.table, self.currency = risk, table, currency
        self.now = table if horizon == 10 else day
        self.ten = horizon == 10
        self.implied = sqrt(365.0 / (1.4 * horizon)) / 2.3263478740408408
        self.ratio = self.now.get("volatility_ratio")

    def place(self, key, bucket, source=None):
        numbers = (source or self.table)[key]
        return numbers[0 if len(numbers) == 1 else self.table["buckets"].index(bucket)]

    def group(self, currency):
        groups = self.table["group"]
        return next((n for n, g in enumerate(groups) if currency in g["currencies"]), 3)

    def pair(self, name):
        if "/" not in name:
            return name, self.currency
        return tuple(name.split("/"))

    def fx_weight(self, name):
        high = self.table["high_volatility"]
        first, second = self.pair(name)
        return self.now["weights"][first in high][second in high]

    def weight(self, factor, bucket, measure):
        if measure == "curvature":
            return 1.0
        if measure == "base":
            return (
                self.table["base_correlation"]["weight"]
                if self.ten
                else self.now["base_correlation"]
            )
        if measure == "vega":
            weight = self.now["vega_weight"]
            return (
                weight
                if self.risk in ("rates", "fx")
                else self.place("vega_weight", bucket, self.now)
            )
        if self.risk == "fx":
            return self.fx_weight(factor[0])
        if self.risk != "rates":
            return self.place("weights", bucket, self.now)
        if factor[1] in ("inflation", "basis"):
            number = self.now[factor[1]]
            return number["weight"] if self.ten else number
        at = self.table["tenors"].index(factor[1])
        group = self.group(factor[0])
        return (
            self.table["group"][group]["weights"][at]
            if self.ten
            else self.now["weights"][group][at]
        )

    def volatility(self, factor, bucket, measure):
        if self.risk in ("rates", "credit_qualifying", "credit_other"):
            return 1.0
        weight = (
            self.fx_weight(factor[0])
            if self.risk == "fx"
            else self.place("weights", bucket, self.now)
        )
        return weight * self.implied * (self.ratio if measure == "vega" else 1.0)

    def threshold(self, name, bucket, measure):
        if not self.ten:
            return float("inf")
        key = f"{measure}_threshold"
        if self.risk == "rates":
            return self.table["group"][self.group(bucket)][key]
        if self.risk != "fx":
            return self.place(key, bucket)
        kinds = self.table["categories"]
        at = [next((n for n, k in enumerate(kinds) if c in k), 2) for c in self.pair(name)]
        return self.table[key][at[0]] if measure == "delta" else self.table[key][max(at)][min(at)]

    def rho(self, a, b, bucket, measure):
        if measure == "base":
            return self.table["base_correlation"]["correlation"]
        if self.risk == "fx":
            if measure != "delta":
                return self.table["vega_correlation"]
            high = self.table["high_volatility"]
            kind = "high" if self.currency in high else "regular"
            return self.table["correlation"][kind][a[0] in high][b[0] in high]
        if self.risk == "rates":
            for special in ("basis", "inflation"):
                if special in (a[1], b[1]):
                    return self.table[special]["correlation"]
            low, high = sorted(self.table["tenors"].index(f[1]) for f in (a, b))
            rho = 1.0 if low == high else self.table["triangle"][high][low]
            return rho if a[2] == b[2] else rho * self.table["curves"]
        same = a[2] == b[2] if self.table.get("by_group") else a[0] == b[0]
        return self.place(
            "same_name" if same and "same_name" in self.table else "other_name", bucket
        )

    def across(self, places, within, sums, ratios, power):
        square = sum(within[p] ** 2 for p in places)
        for a, b in combinations(places, 2):
            if self.risk == "rates":
                gamma = self.table["between_currencies"]
            else:
                low, high = sorted(self.table["buckets"].index(p) for p in (a, b))
                gamma = self.table["triangle"][high][low]
            near, far = sorted((ratios[a], ratios[b]))
            reach = [max(min(sum(sums[p]), within[p]), -within[p]) for p in (a, b)]
            square += 2 * gamma**power * near / far * reach[0] * reach[1]
        return sqrt(max(square, 0.0))
