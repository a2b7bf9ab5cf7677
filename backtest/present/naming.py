"""Names in the sentences and keys of figures: short enough, and told apart from components."""

from collections.abc import Callable

import pandas as pd

from backtest.present.lettering import MINUS

COMPONENTS = ("offset", "diversification")  # parts of a saving, whose names models may have too
MOST = 34  # characters of a name in a sentence that is a title
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def model_name(model: str) -> str:
    """A model's name; one that is called like a part of a saving is told apart from it.

    Examples
    --------
    >>> model_name("var"), model_name("offset")
    ('var', 'offset model')
    """
    return f"{model} model" if model.strip().lower() in COMPONENTS else model


def brief(name: str, *, most: int = MOST) -> str:
    """A name of at most `most` characters.

    Examples
    --------
    >>> brief("long BTC, long 10Y, risk-matched", most=20)
    'long BTC, long 10Y…'
    """
    name = " ".join(name.split())
    return name if len(name) <= most else name[: most - 1].rstrip(" ,") + ELLIPSIS


def least_to_most(
    values: "pd.Series[float]", show: Callable[[float], str], *, most: int = 20
) -> str:
    """The smallest and the largest of named values, each with its name; one where all print alike.

    values : by name, none NaN. most : characters of a name.

    Examples
    --------
    >>> from backtest.present.numbers import percent
    >>> least_to_most(pd.Series({"var": 0.02, "siloed": 0.01}), percent)
    '1.0 % (siloed) to 2.0 % (var)'
    >>> least_to_most(pd.Series({"var": 0.02, "siloed": 0.02}), percent)
    '2.0 %'
    """
    low, high = int(values.argmin()), int(values.argmax())
    ends = [
        (show(float(values.iloc[i])), brief(str(values.index[i]), most=most)) for i in (low, high)
    ]
    if ends[0][0] == ends[1][0]:
        return ends[0][0]
    return " to ".join(f"{number} ({name})" for number, name in ends)


def span(low: float, high: float, show: Callable[[float], str]) -> str:
    """Two numbers as a range, their unit once; one where both print alike.

    Examples
    --------
    >>> from backtest.present.numbers import percent
    >>> span(0.065, 0.309, percent), span(0.1, 0.1, percent)
    ('6.5 to 30.9 %', '10.0 %')
    """
    first, second = (show(value).replace("-", MINUS) for value in (low, high))
    return second if first == second else f"{first.removesuffix(' %')} to {second}"
