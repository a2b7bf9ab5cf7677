"""Capital beside margin: what Basel's standard asks of a bank for the crypto in a book."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from backtest.instruments import is_option, parse_instrument
from backtest.parameters.in_force import in_force
from backtest.parameters.sources import parameter_source
from backtest.present.numbers import millions, ratio
from backtest.present.table import TextTable, of_column, records
from backtest.replay.study import Study
from strategies.crypto_capital import CRYPTO, CryptoCapital

CAPITAL_TEXT = (
    "A clearing house holds margin; a bank holds capital, whatever margin it posts. What Basel's "
    "SCO60 asks of a bank that holds these positions itself, where a jurisdiction has adopted it; "
    "a bank that clears them for a client has counterparty risk instead, which is not here. "
    "Positions other than cryptoassets need capital under other chapters, which is not here either."
)


def capital_beside_margin(study: Study, portfolios: Sequence[str]) -> pd.DataFrame:
    """Capital and margin of the portfolios that hold cryptoassets, USD.

    Columns: `crypto` gross position, `capital`, and the `least` and `most` mean margin of any
    model. Options on cryptoassets are refused by the standard's model; books with them are left
    out, as are books without cryptoassets.
    """
    instruments = [parse_instrument(name) for name in study.exposure.columns]
    is_crypto = [i.asset_class in CRYPTO for i in instruments]
    held = study.exposure.loc[list(portfolios)]
    optional = [c and is_option(i) for c, i in zip(is_crypto, instruments, strict=True)]
    with_options = (held.loc[:, optional] != 0.0).any(axis=1)
    held = held[(held.loc[:, is_crypto] != 0.0).any(axis=1) & ~with_options]
    shown = [i for i, option in zip(instruments, optional, strict=True) if not option]
    usd = held.loc[:, [not option for option in optional]].to_numpy()
    margins = study.scores["mean_margin"].groupby("portfolio")
    return pd.DataFrame(
        {
            "crypto": held.loc[:, is_crypto].abs().sum(axis=1),
            "capital": _rule(study).of(usd, shown),
            "least": margins.min().reindex(held.index),
            "most": margins.max().reindex(held.index),
        }
    )


def capital_table(study: Study, portfolios: Sequence[str]) -> TextTable | None:
    """Capital beside margin; None where no portfolio holds cryptoassets."""
    rows = capital_beside_margin(study, portfolios)
    if rows.empty:
        return None
    return TextTable.of(
        "Capital beside margin, USD m",
        "book",
        records(rows),
        {
            "crypto, gross": of_column("crypto", millions),
            "capital, SCO60": of_column("capital", millions),
            "mean margin, least of the models": of_column("least", millions),
            "mean margin, most": of_column("most", millions),
            "capital over most": _over_most,
        },
        note=_note(study),
    )


def _over_most(row: Any) -> str:
    return ratio(row["capital"] / row["most"] if row["most"] > 0 else float("nan"))


def _note(study: Study) -> str:
    """The terms in use, and how they stand."""
    rule = _rule(study)
    source, terms = parameter_source(rule.parameters), rule.terms
    groups = ", ".join(f"{asset} {group}" for asset, group in sorted(terms.groups.items()))
    sentences = (
        f"{source.name}; not verified: {', '.join(source.unverified) or 'none'}",
        f"Groups as a bank may classify: {groups}, others 2b",
        f"2a: {terms.net_weight:.0%} of a position, less {terms.recognised:.0%} of the smaller of "
        "two opposite ones in one asset at two venues; one asset is no hedge of another",
        source.standing(_day(study)),
    )
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _rule(study: Study) -> CryptoCapital:
    """The standard under the rules of the study's day."""
    return in_force(CryptoCapital(), date.fromisoformat(_day(study)))


def _day(study: Study) -> str:
    """The day whose rules count (ISO): the last scored one of a run from before that was stored."""
    return study.provenance.as_of or f"{study.scored[-1]:%Y-%m-%d}"
