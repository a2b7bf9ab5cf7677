"""The table by which a study file declares an instrument: `[instruments.LQD]`."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.instruments.contracts import LastTrading
from backtest.market.market import tenor_years

DeclaredKind = Literal["spot", "coin", "etf", "fund", "fx", "future", "bond"]
AssetClass = Literal[
    "treasury", "rates", "credit", "equity", "commodity", "fx", "crypto", "stablecoin", "other"
]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Positive = Annotated[float, Field(strict=True, gt=0, le=1e9)]

CLASS_OF_KIND: dict[str, AssetClass] = {"coin": "crypto", "fx": "fx", "bond": "credit"}
# Keys that one kind alone has a use for: with another they would be silently without effect.
KEYS_OF_KIND: dict[str, tuple[str, ...]] = {
    "future": ("multiplier", "tick", "roll", "months", "reference"),
    "bond": ("maturity", "duration", "convexity", "yield_factor"),
}
NO_ROLL = "none"


class Buckets(BaseModel):
    """Where the published tables of models put an instrument that they do not list.

    Parameters
    ----------
    haircut : the price of a haircut schedule whose rate it takes ('BTC'), or a rate of its own.
    uncleared : line of the uncleared schedule: commodity, credit, equity, fx, rates or other.
    simm : risk class and bucket of SIMM, such as 'commodity 12' or 'equity 11'.
    span : commodity of the SPAN file whose scan range it takes, or a share of its own.
    portfolio_margin : product group of portfolio margin, such as 'broad_index'.
    cost : contract whose bid-offer and volume it takes where a model closes positions out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    haircut: Share | str | None = None
    uncleared: Literal["commodity", "credit", "equity", "fx", "rates", "other"] | None = None
    simm: str | None = None
    span: Share | str | None = None
    portfolio_margin: str | None = None
    cost: str | None = None


class Declaration(BaseModel):
    """What an instrument is, where its prices are, and in which buckets models put it.

    Parameters
    ----------
    kind : 'spot' (metal, index), 'coin', 'etf', 'fund', 'fx': a price held outright. 'future': its
        front month. 'bond': with `maturity`, a par bond at the yield `factor`; with `duration`, by
        the spread `factor` over the par yield `yield_factor`.
    asset_class : class of its risk; a coin, an exchange rate and a bond have one by their kind.
    factor : the factor that moves it; its name unless given.
    file, column : of the prices, in the study's folder; `<name>_usd.csv` and 'Close' unless given.
    currency, fx : of the prices, and the factor that converts them to USD (EURUSD or USDJPY).
    silo : clearing house. underlying : what it nets with, such as 'BTC' for a Bitcoin ETF.
    multiplier : USD per point of price of one future. tick : smallest step of its price.
    roll, months, reference : rule of the last trading day, delivery months, and the spot price or
        par yield by which splices are measured; roll 'none' where the series is adjusted already.
    maturity, duration, convexity : years, years, years squared.
    buckets : see `Buckets`.

    Examples
    --------
    >>> Declaration(kind="coin").asset_class_or_default, Declaration(kind="fx").is_yield
    ('crypto', False)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: DeclaredKind
    asset_class: AssetClass | None = None
    factor: str = ""
    file: str = ""
    column: str = "Close"
    currency: str = "USD"
    fx: str = ""
    silo: str = "CME"
    underlying: str = ""
    multiplier: Positive | None = None
    tick: Positive | None = None
    roll: LastTrading | Literal["none"] = "none"
    months: tuple[Annotated[int, Field(strict=True, ge=1, le=12)], ...] = (3, 6, 9, 12)
    reference: str = ""
    maturity: Positive | None = None
    duration: Positive | None = None
    convexity: Annotated[float, Field(strict=True, ge=0, le=1e4)] = 0.0
    yield_factor: str = ""
    buckets: Buckets = Buckets()

    @property
    def asset_class_or_default(self) -> AssetClass:
        """The class that is given, or that of the kind."""
        return self.asset_class or CLASS_OF_KIND[self.kind]

    @property
    def is_yield(self) -> bool:
        """Whether its factor is a yield or a spread, in percent, and not a price."""
        return self.kind == "bond"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.asset_class is None and self.kind not in CLASS_OF_KIND:
            raise ValueError(f"a {self.kind} needs an asset_class, such as 'commodity'")
        for kind, keys in KEYS_OF_KIND.items():
            given = [key for key in keys if key in self.model_fields_set]
            if given and kind != self.kind:
                raise ValueError(f"{given[0]} belongs to a {kind}, not to a {self.kind}")
        self._check_kind()
        if (self.currency == "USD") == bool(self.fx):
            raise ValueError(
                f"currency is {self.currency!r} and fx is {self.fx!r}; prices in another currency "
                "than USD need the factor that converts them, such as fx = 'EURUSD'"
            )
        if self.fx and self.fx not in (f"{self.currency}USD", f"USD{self.currency}"):
            raise ValueError(
                f"fx is {self.fx!r}; name the exchange rate {self.currency}USD (USD per "
                f"{self.currency}) or USD{self.currency}, so that its direction is known"
            )
        if self.fx and self.is_yield:
            raise ValueError("a bond moves by yields, which fx cannot convert; leave currency out")
        return self

    def _check_kind(self) -> None:
        """The keys that its kind cannot do without."""
        if self.kind == "future":
            if self.multiplier is None:
                raise ValueError("a future needs a multiplier, USD per point of price")
            if "roll" not in self.model_fields_set:
                raise ValueError("a future needs its roll: a rule, or 'none' if adjusted already")
            if (self.roll != NO_ROLL) != bool(self.reference):
                raise ValueError("roll and reference belong together: give both, or roll = 'none'")
        if self.kind == "bond":
            if self.duration is None and self.maturity is None:
                raise ValueError(
                    "a bond needs its maturity (by yield), or duration and yield_factor (by spread)"
                )
            if (self.duration is None) != (not self.yield_factor):
                raise ValueError("duration and yield_factor belong together: a spread is over it")
            if self.yield_factor and tenor_years(self.yield_factor) is None:
                raise ValueError(f"yield_factor is {self.yield_factor!r}; name a par yield: '7Y'")
            if self.duration is None and (2.0 * (self.maturity or 0.0)) % 1.0:
                raise ValueError("maturity must be a multiple of half a year: coupons are paid so")
