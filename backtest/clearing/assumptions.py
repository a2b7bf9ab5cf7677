"""What is assumed of customers, firms and houses where a study does not say it."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict

from backtest.parameters.files import read_as

Posts = Literal["intraday", "as paid"]
Share = Annotated[float, Ge(0), Le(1)]
Rate = Annotated[float, Ge(0), Lt(1)]  # a probability of 1 a year would be one of 1 a day
Amount = Annotated[float, Ge(0)]
MOST_ASKED = 100.0  # times the house's margin; a larger number is a percentage
STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Assumptions(BaseModel):
    """Form of `protection_assumed`; every term is an assumption with a range.

    Parameters
    ----------
    customer_default_rate, firm_default_rate : probability a year of a default that is drawn,
        whatever margins do.
    wrong_way : how many times as high a customer's rate is on days in the worst tenth of its own
        losses over the MPOR as on other days; 1 is independence of prices.
    resources : of a customer beyond its collateral, multiple of its mean margin by silo.
    firm_capital : of a firm, multiple of the mean margin by silo of its accounts.
    multiplier : of the house's margin that a firm asks of its customers.
    posts : 'intraday', a firm has posted what the house requires before its customers pay.
    recovery : share of its capital that a firm still pays that is drawn to default.
    set_off : share of a defaulter's surplus at other houses that pays its deficit in time.
    porting, porting_days : probability that the accounts of a failed firm are ported, and margin
        days until they are.
    margin_days : of a year.

    Examples
    --------
    >>> Assumptions.of().posts
    'intraday'
    """

    model_config = STRICT
    customer_default_rate: Rate
    firm_default_rate: Rate
    wrong_way: Annotated[float, Ge(1)]
    resources: Amount
    firm_capital: Amount
    multiplier: Annotated[float, Gt(0), Le(MOST_ASKED)]
    posts: Posts
    recovery: Share
    set_off: Share
    porting: Share
    porting_days: Amount
    margin_days: Annotated[float, Ge(1), Le(366)]

    @classmethod
    def of(cls, name: str = "protection_assumed") -> Self:
        """The assumptions of a version, or of the version in force of a rule."""
        return read_as(cls, name)


class Layers(BaseModel):
    """Layers of a house's own waterfall.

    Parameters
    ----------
    capital : USD of its own, before the mutual fund. fund : USD, contributions of members outside
        the structure. assessment : multiple of contributions.
    contribution : of a member to the fund, multiple of the mean margin of its accounts there.
    """

    model_config = STRICT
    capital: Amount
    fund: Amount
    assessment: Amount
    contribution: Amount


class Waterfall(BaseModel):
    """Form of `waterfall`: layers by house, 'other' for any that is not named."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    houses: dict[str, Layers]

    @classmethod
    def of(cls, name: str = "waterfall") -> Self:
        """The layers of a version, or of the version in force of a rule.

        Examples
        --------
        >>> Waterfall.of().house("LCH") == Waterfall.of().houses["other"]
        True
        """
        return read_as(cls, name)

    def house(self, name: str) -> Layers:
        """Layers of a house."""
        return self.houses.get(name, self.houses["other"])
