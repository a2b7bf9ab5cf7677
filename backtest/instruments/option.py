"""European options on a price factor: Black-76, with volatility as a second factor."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from backtest.instruments.black import black_greeks, black_price
from backtest.instruments.protocol import qualified, unknown_tail
from backtest.instruments.spot import Spot
from backtest.market.market import Kind, Market
from backtest.types import DataError, Dates, Days, FloatArray, StudyError, parse_day

# Cboe (2023), Volatility Index Methodology: VIX counts calendar time in years of 365 days.
YEAR = 365.0
SHARES = 100  # of one listed contract on a stock or fund: OCC By-Laws, Article I, unit of trading
HIGHEST_VOLATILITY = 5.0  # decimals; above it the unit is wrong (percent read as decimals)
HOME = "OCC"
IMPLIED = {"SPY": "VIX", "SP500": "VIX"}  # factors whose implied volatility has a name of its own

OPTION_NAME = (
    r"(?P<factor>.+)-(?P<kind>CALL|PUT)"
    r"-(?:(?P<days>\d+)D(?:-(?P<percent>\d+(?:\.\d+)?))?"
    r"|(?P<expiry>\d{4}-\d\d-\d\d)-(?P<strike>\d+(?:\.\d+)?))"
    r"(?:-(?P<volatility>[A-Z].*))?"
)


@dataclass(frozen=True)
class Option:
    r"""European option on 1 USD of a price factor, revalued in full.

    Without an `expiry` each day's position is a new option, struck at `moneyness` times the close
    with `days` calendar days to run, so that its risk is stationary. Held to t + H, d calendar
    days later, it has gained

    .. math:: \frac{V(S_{t+H}, K, \sigma_{t+H}, T - d) - V(S_t, K, \sigma_t, T)}{S_t}

    per 1 USD of underlying notional, V Black-76 at the volatility factor of the day, for any
    strike and time left (no smile, no term structure). With `expiry` and `strike` the same listed
    option is held on all days; a market that runs past its expiry is refused.

    The forward is the close and the interest rate is zero. Over 30 days at 5 % an at-the-money
    call is some 0.2 % of notional dearer; only the change of that enters a margin. Scenarios move
    price and volatility together and let time pass: time decay is certain, and a margin of a long
    option that leaves it out is too small. The premium is marked to market like a futures price.

    Parameters
    ----------
    factor : a factor of kind 'price'.
    volatility_factor : its annual volatility in decimals, kind 'price'; '' takes VIX for SPY and
        '<factor>-VOL' for others. '<factor>-REALISED' is an approximation (trailing realised
        volatility, without a risk premium) and is shown in the option's name.
    kind : 'call' or 'put'.
    moneyness : strike / close on the day it is struck.
    days : calendar days to expiry of each day's new option.
    expiry, strike : last day (ISO) and strike (USD) of a listed option; both or neither.
    silo : clearing house; OCC unless said.

    References
    ----------
    Black, F. (1976). The pricing of commodity contracts. Journal of Financial Economics, 3(1-2),
    167-179.

    Examples
    --------
    >>> Option("SPY").name, Option("SPY", kind="put", moneyness=0.95, days=90).name
    ('SPY-CALL-30D', 'SPY-PUT-90D-95')
    >>> Option("BTC", "BTC-REALISED", expiry="2026-06-26", strike=90_000).name
    'BTC-CALL-2026-06-26-90000-BTC-REALISED'
    """

    contract: ClassVar[str] = "option"
    maturity: ClassVar[None] = None

    factor: str
    volatility_factor: str = ""
    kind: Literal["call", "put"] = "call"
    moneyness: float = 1.0
    days: int = 30
    expiry: str | None = None
    strike: float | None = None
    silo: str = HOME

    def __post_init__(self) -> None:
        if not self.volatility_factor:
            object.__setattr__(self, "volatility_factor", implied_volatility(self.factor))
        if self.kind not in ("call", "put"):
            raise StudyError(f"kind is {self.kind!r}; known: 'call', 'put'.")
        if (self.expiry is None) != (self.strike is None):
            raise StudyError(
                f"an option on {self.factor} has expiry {self.expiry} and strike {self.strike}; "
                "give both for a listed option, or neither for a new one each day."
            )
        for what, value in (("moneyness", self.moneyness), ("strike", self.strike)):
            if value is not None and not 0 < value < np.inf:
                raise StudyError(f"{what} is {value}; give one above zero.")
        if self.days < 1:
            raise StudyError(f"days is {self.days}; a new option needs 1 or more to run.")
        if self.expiry is not None:
            parse_day(self.expiry, "expiry")

    @property
    def name(self) -> str:
        """'SPY-CALL-30D' and strike in percent of the close, or expiry and strike; see `Option`."""
        parts = [self.factor, self.kind.upper()]
        if self.expiry is None:
            parts += [f"{self.days}D"] + [f"{100 * self.moneyness:.10g}"] * (self.moneyness != 1.0)
        else:
            parts += [self.expiry, f"{self.strike:.10g}"]
        parts += [self.volatility_factor] * (
            self.volatility_factor != implied_volatility(self.factor)
        )
        return qualified("-".join(parts), self.silo, HOME)

    @property
    def factors(self) -> dict[str, Kind]:
        """The price and its volatility."""
        return {self.factor: "price", self.volatility_factor: "price"}

    @property
    def moved_by(self) -> tuple[str, str]:
        """Columns of joint shocks: price, volatility."""
        return self.factor, self.volatility_factor

    @property
    def underlying(self) -> str:
        """The factor of the underlying price."""
        return self.factor

    @property
    def asset_class(self) -> str:
        """The asset class of the underlying."""
        return Spot(self.factor).asset_class

    def pnl(self, market: Market, horizon: int) -> Days:
        """(days,) exact P&L per USD of notional over `horizon` margin days; last rows NaN."""
        price, volatility = market.level(self.factor), self._volatility(market)
        strike, days_left = self._strike(price), self.days_left(market.dates)
        elapsed = (market.dates[horizon:] - market.dates[:-horizon]).astype(np.float64)
        days_left_after = days_left[:-horizon] - elapsed
        if (days_left_after < 0).any():
            at = int(np.argmax(days_left_after < 0))
            raise StudyError(
                f"option {self.name} struck on {market.dates[at]} has {self.days} calendar days "
                f"to run and is held for {elapsed[at]:.0f}; give it more days to expiry."
            )
        # The later price has the later volatility and less time, at the strike of today: gamma,
        # vega and time decay are all in the difference.
        price_today = self._price(price, strike, volatility, days_left)
        price_later = self._price(
            price[horizon:], strike[:-horizon], volatility[horizon:], days_left_after
        )
        return unknown_tail((price_later - price_today[:-horizon]) / price[:-horizon], len(price))

    def sensitivity(self, market: Market) -> dict[str, FloatArray]:
        """(days, 2) delta and gamma per USD of notional by price, vega and volga by volatility.

        All for relative changes. For models without revaluation: joint moves of price and
        volatility, the passing of time and moves far from today's levels are not in them.
        """
        price, volatility = market.level(self.factor), self._volatility(market)
        greeks = black_greeks(
            price,
            self._strike(price),
            volatility=volatility,
            years=self.days_left(market.dates) / YEAR,
            kind=self.kind,
        )
        # Black's derivatives are per USD of price and per point of volatility; shocks are relative
        # changes. Each order is multiplied by its level, then divided by the price: one USD of
        # notional is 1 / price options.
        per_price = np.column_stack([greeks.delta, greeks.gamma * price])
        scale = (volatility / price)[:, None] * np.column_stack([np.ones_like(price), volatility])
        per_volatility = np.column_stack([greeks.vega, greeks.volga]) * scale
        return {self.factor: per_price, self.volatility_factor: per_volatility}

    def scenarios(
        self, market: Market, day: int, shocks: FloatArray, *, elapsed: FloatArray | float = 0.0
    ) -> FloatArray:
        """(scenarios,) P&L per USD for joint relative shocks (scenarios, 2) of price, volatility.

        elapsed : calendar days that pass meanwhile, (scenarios,) or one number; an option that
            expires within them is paid at the price of their end.
        """
        row = market.levels[[day]]
        price = row[:, market.column(self.factor)]
        volatility = row[:, market.column(self.volatility_factor)]
        strike, days_left = self._strike(price), self.days_left(market.dates[[day]])
        value_today = self._price(price, strike, volatility, days_left)
        shocked = price * (1.0 + shocks[:, 0]), volatility * (1.0 + shocks[:, 1])
        days_left_after = np.maximum(days_left - elapsed, 0.0)
        return (self._price(shocked[0], strike, shocked[1], days_left_after) - value_today) / price

    def usd_of_units(self, market: Market) -> dict[str, Days]:
        """USD of one contract: of the shares that it is written on, as notional."""
        return {"contracts": SHARES * market.level(self.factor)}

    def unit_value(self, market: Market) -> Days:
        """(days,) the price of the underlying: one unit is an option on one unit of it."""
        return market.level(self.factor)

    def _price(
        self, price: FloatArray, strike: FloatArray, volatility: FloatArray, days_left: FloatArray
    ) -> FloatArray:
        return black_price(
            price, strike, volatility=volatility, years=days_left / YEAR, kind=self.kind
        )

    def _strike(self, price: FloatArray) -> FloatArray:
        """Strike of the option held at each close."""
        if self.strike is None:
            return self.moneyness * price
        return np.full_like(price, self.strike)

    def days_left(self, dates: Dates) -> FloatArray:
        """Calendar days to expiry of the option held at each close; StudyError past it."""
        if self.expiry is None:
            return np.full(len(dates), float(self.days))
        days_left = (np.datetime64(self.expiry, "D") - dates).astype(np.float64)
        if days_left[-1] < 0:
            raise StudyError(
                f"option {self.name} expires on {self.expiry} and the study runs to {dates[-1]}; "
                f"end [data] by {self.expiry}, or hold a new option each day, such as "
                f"{Option(self.factor, kind=self.kind).name}."
            )
        return days_left

    def _volatility(self, market: Market) -> FloatArray:
        """Volatility at each close; DataError where its unit must be percent."""
        level = market.level(self.volatility_factor)
        if (level > HIGHEST_VOLATILITY).any():
            at = int(np.argmax(level > HIGHEST_VOLATILITY))
            raise DataError(
                f"{self.volatility_factor} on {market.dates[at]} is {level[at]:g} as a decimal "
                f"volatility; it must not exceed {HIGHEST_VOLATILITY:g}. Check the unit: frames "
                "hold decimals (0.18 is 18 %)."
            )
        return level


def implied_volatility(factor: str) -> str:
    """Name of the implied volatility of a factor.

    Examples
    --------
    >>> implied_volatility("SPY"), implied_volatility("BTC")
    ('VIX', 'BTC-VOL')
    """
    return IMPLIED.get(factor, f"{factor}-VOL")


def option_of(name: re.Match[str], silo: str | None) -> Option:
    """Option of a match of `OPTION_NAME`.

    Examples
    --------
    >>> option_of(re.fullmatch(OPTION_NAME, "SPY-PUT-30D-95"), None)
    Option(factor='SPY', volatility_factor='VIX', kind='put', moneyness=0.95, days=30, \
expiry=None, strike=None, silo='OCC')
    """
    is_listed = name["expiry"] is not None
    return Option(
        name["factor"],
        name["volatility"] or "",
        kind="call" if name["kind"] == "CALL" else "put",
        moneyness=float(name["percent"] or 100) / 100,
        days=30 if is_listed else int(name["days"]),
        expiry=name["expiry"],
        strike=float(name["strike"]) if is_listed else None,
        silo=silo or HOME,
    )
