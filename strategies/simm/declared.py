"""Risk class and bucket of SIMM in which a study declares an instrument to be."""

from backtest.instruments import Instrument, bucket_of
from backtest.types import StudyError
from strategies.simm.crif import BUCKETS

RESIDUAL = "Residual"
ONLY_BUCKET = {"fx": ("Common",), "crypto": ("floating", "pegged")}


def declared_class(instrument: Instrument) -> tuple[str, str] | None:
    """Risk class and bucket as declared: 'commodity 12', 'equity 11', 'fx'; None where none is.

    Raises
    ------
    StudyError : a class or bucket that SIMM does not have.

    Examples
    --------
    >>> from backtest.instruments import Declaration, DeclaredPrice
    >>> gold = Declaration(kind="spot", asset_class="commodity", buckets={"simm": "commodity 12"})
    >>> declared_class(DeclaredPrice("GOLD", gold, "CME"))
    ('commodity', '12')
    """
    declared = bucket_of(instrument, "simm")
    if declared is None:
        return None
    risk, _, bucket = str(declared).partition(" ")
    buckets = ONLY_BUCKET.get(risk) or (
        *(str(n + 1) for n in range(BUCKETS.get(risk, 0))),
        RESIDUAL,
    )
    if risk in ONLY_BUCKET and not bucket:
        bucket = buckets[0]
    if (risk not in BUCKETS and risk not in ONLY_BUCKET) or bucket not in buckets:
        raise StudyError(
            f"{instrument.name} is declared to be in {declared!r} of SIMM, which has "
            f"{', '.join((*BUCKETS, *ONLY_BUCKET))} with their buckets ('commodity 12', 'fx'); "
            "mend its buckets.simm."
        )
    return risk, bucket
