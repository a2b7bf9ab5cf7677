"""SIMM against plain loops over its parameter files, on random portfolios of every risk type."""

import random

import pandas as pd
import pytest

from backtest.parameters.files import rules
from strategies.simm.crif import BUCKETS, CREDIT_VERTICES, CURVES, RESIDUAL, VERTICES
from strategies.simm.portfolio import simm_of_crif
from tests.support.simm_by_hand import margin_by_hand

HEADS = ("ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "AmountUSD")
CURRENCIES = "USD EUR JPY GBP CHF BRL CNY TRY RUB ARS EGP PLN DKK ISK".split()
NAMED = {
    "Risk_CreditQ": ("Credit", "Risk_CreditVol", "credit_qualifying"),
    "Risk_CreditNonQ": ("Credit", "Risk_CreditVolNonQ", "credit_other"),
    "Risk_Equity": ("Equity", "Risk_EquityVol", "equity"),
    "Risk_Commodity": ("Commodity", "Risk_CommodityVol", "commodity"),
}


def random_row(draw):
    """One row of a CRIF; amounts from far below every threshold to far above."""
    usd = draw.choice((1.0, -1.0)) * 10.0 ** draw.uniform(3.0, 9.5)
    kind = draw.choice((*NAMED, *NAMED, "rates", "rates", "fx", "Risk_BaseCorr"))
    if kind == "Risk_BaseCorr":
        return "Credit", kind, draw.choice(("CDX IG", "CDX HY")), "", "", "", usd
    if kind == "fx":
        first, second = draw.sample(CURRENCIES, 2)
        if draw.random() < 0.5:
            return "RatesFX", "Risk_FX", first, "", "", "", usd
        return "RatesFX", "Risk_FXVol", first + second, "", draw.choice(VERTICES), "", usd
    if kind == "rates":
        currency, tenor = draw.choice(CURRENCIES), draw.choice(VERTICES)
        names = ("Risk_IRCurve", "Risk_IRVol", "Risk_Inflation", "Risk_InflationVol")
        name = draw.choice((*names, "Risk_XCcyBasis"))
        curve = draw.choice(CURVES) if name == "Risk_IRCurve" else ""
        return "RatesFX", name, currency, "", tenor, curve, usd
    product, of_volatility, risk = NAMED[kind]
    residual = () if risk == "commodity" else (RESIDUAL,)
    bucket = draw.choice((*(str(n + 1) for n in range(BUCKETS[risk])), *residual))
    name = f"{risk} {bucket} {draw.choice('abc')}"
    label = draw.choice(("", "g")) if "NonQ" in kind else ""
    if draw.random() < 0.5:
        return product, kind, name, bucket, draw.choice(CREDIT_VERTICES), label, usd
    return product, of_volatility, name, bucket, draw.choice(VERTICES), label, usd


@pytest.mark.parametrize("horizon", [10, 1])
@pytest.mark.parametrize("version", rules()["simm"])
def test_random_portfolios_have_the_margin_of_the_loops(version, horizon):
    draw = random.Random(f"{version} {horizon}")
    for currency in ("USD", "EUR", "ARS"):
        rows = [random_row(draw) for _ in range(draw.randint(2, 40))]
        crif = pd.DataFrame(rows, columns=HEADS)
        for side, sign in (("call", 1.0), ("post", -1.0)):
            found = simm_of_crif(
                crif, parameters=version, horizon=horizon, currency=currency, side=side
            )
            expected = margin_by_hand(
                rows,
                version.removeprefix("simm/"),
                horizon=horizon,
                currency=currency,
                side=sign,
            )
            assert float(found.value) == pytest.approx(expected, rel=1e-10)
            assert expected > 0.0
