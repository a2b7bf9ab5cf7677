"""How a study prints itself: a screen of text, or a table in a notebook."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from backtest.replay.study import Study

MOST_ROWS = 12  # of a table that is printed unasked
NAME = 22  # characters of a name
NEXT = (
    "Next: study.summary(), study.tests(), study.to_frame(), study.save(folder); "
    "bt.supportable_offset(market, book)"
)


def study_text(study: "Study") -> str:
    """At most 80 columns and 24 lines: what was run, how each model did, what to do next."""
    days = study.scored
    books = study.loss.shape[1]
    lines = [
        f"<Study {_count(len(study.models), 'model')}, {_count(books, 'portfolio')}, "
        f"{len(days):,} scored days {days[0]:%Y-%m-%d} .. {days[-1]:%Y-%m-%d}>"
    ]
    if study.simulated:
        lines.append("SIMULATED prices: nothing here is history.")
    lines += ["", by_model(study).head(MOST_ROWS).to_string()]
    if len(study.models) > MOST_ROWS:
        lines.append(f"... and {len(study.models) - MOST_ROWS} more models")
    first, second = NEXT.split("; ")
    if study.provenance.given is not None:  # there is no market and no book to go on with
        return "\n".join([*lines, *study.provenance.given.findings(), "", first])
    return "\n".join([*lines, "", f"{first};", f"      {second}"])


def by_model(study: "Study") -> pd.DataFrame:
    """One row a model: exceedances over all portfolios, rejections, mean margin in millions."""
    scores, margin = study.scores, f"mean margin, {study.provenance.currency} m"
    rows = []
    for model in study.models:
        of_model = scores.loc[[model]]
        rejected = int((of_model["coverage_p"] <= 0.05).sum())
        row = {
            "exceedances": int(of_model["exceedances"].sum()),
            "allowed": int(of_model["allowed"].sum()),
            "rejected at 5 %": f"{rejected} of {len(of_model)}",
            margin: f"{of_model['mean_margin'].mean() / 1e6:,.2f}",
        }
        rows.append(row)
    return pd.DataFrame(rows, index=[name[:NAME] for name in study.models])


def study_html(study: "Study") -> str:
    """The summary, with the number of rows that are left out."""
    label = "<p><strong>SIMULATED</strong></p>" if study.simulated else ""
    return label + table_html(study.summary())


def table_html(table: pd.DataFrame, most: int = 60) -> str:
    """A table with its text escaped, cut after `most` rows.

    Examples
    --------
    >>> "&lt;b&gt;" in table_html(pd.DataFrame({"x": [1.0]}, index=["<b>"]))
    True
    """
    page = str(table.head(most).to_html(float_format="{:,.4g}".format))
    more = len(table) - most
    return page + (f"<p>and {more:,} more rows</p>" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
