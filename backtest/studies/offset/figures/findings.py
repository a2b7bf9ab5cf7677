"""The titles of an offset study's figures: what each shows, over all books of the study."""

import pandas as pd

from backtest.offset.credit_granted import ESTIMATED_OFFSET, ESTIMATED_TOTAL
from backtest.present.lettering import points
from backtest.present.naming import brief, least_to_most, model_name, span
from backtest.present.numbers import percent
from backtest.studies.sentences import counted

NAMED_STEPS = 2  # steps that a sentence names


def stressed_finding(data: pd.DataFrame, *, observed: str) -> str:
    """In how many books an offset is supported: as observed, under every stress, under any.

    data : a row a (portfolio, stress), dependence and dependence_bound. An unknown bound supports
    nothing. observed : the stress that is none.
    """
    supported = data.assign(above=data["dependence_bound"] > 0)
    books = supported.groupby("portfolio", sort=False)["above"]
    of_book = supported[supported["stress"] == observed].set_index("portfolio")["above"]
    always, ever = int(books.all().sum()), int(books.any().sum())
    stresses = data["stress"].nunique() - 1
    return (
        f"The data support an offset in {int(of_book.sum()) or 'none'} of {len(books)} books as "
        f"observed, in {always or 'none'} under all of {stresses} stresses, and in "
        f"{ever or 'none'} under the stress that favours it most"
    )


def specification_finding(data: pd.DataFrame) -> str:
    """Under how many specifications an offset is supported, and the range of its estimates.

    data : a row a (portfolio, specification), dependence and dependence_bound.
    """
    above = int((data["dependence_bound"] > 0).sum())
    books = data["portfolio"].nunique()
    low, high = (points(x) for x in (data["dependence"].min(), data["dependence"].max()))
    return (
        f"The data support an offset under {above or 'none'} of {len(data):,} specifications of "
        f"{books} book{'s' * (books > 1)}; its estimates run from {low} to {high} %"
    )


def granted_finding(data: pd.DataFrame) -> str:
    """How often models granted more than was estimated from days then known, over days and books.

    data : a row a (date, portfolio, series), share.
    """
    table = data.pivot_table(index=["date", "portfolio"], columns="series", values="share")
    shares = {}
    for model in (
        str(series) for series in table.columns if series not in (ESTIMATED_TOTAL, ESTIMATED_OFFSET)
    ):
        if ESTIMATED_TOTAL in table:
            known = table[[model, ESTIMATED_TOTAL]].dropna()
            if len(known):
                shares[model_name(model)] = float((known[model] > known[ESTIMATED_TOTAL]).mean())
    if not shares:
        return "On no day are both a granted and an estimated reduction known"
    often = least_to_most(pd.Series(shares), lambda share: percent(share, digits=0))
    who = "Models" if len(shares) > 1 else brief(next(iter(shares)), most=20)
    return (
        f"{who} granted more than was estimated from the days then known, on {often} of the days "
        f"compared, over {counted(data['portfolio'].nunique(), 'book')}"
    )


def steps_finding(means: pd.DataFrame, model: str, *, required: str) -> str:
    """What the model asks of the silos' own margins, and the two largest steps on the way there.

    means : a row a book and a column a step, mean of the step over mean of the silos' margins.
    required : the column of the requirement.
    """
    model = brief(model_name(model), most=20)
    asked = _range(means[required])
    sizes = means.drop(columns=required).abs().max().sort_values(ascending=False, kind="stable")
    first, *others = [
        (brief(str(step)), _range(-means[str(step)])) for step in sizes.index[:NAMED_STEPS]
    ] or [("", "")]
    text = f"Mean margin of {model}: {asked} of the silos' own margins, by book"
    if first[0]:
        text += f"; {first[0]} takes off {first[1]}"
    return text + "".join(f", {step} {taken}" for step, taken in others)


def _range(shares: "pd.Series[float]") -> str:
    """To the digits of the table, where a step that adds a little differs from one never taken."""
    return span(float(shares.min()), float(shares.max()), percent)
