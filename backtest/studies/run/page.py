"""The report: one HTML file that needs nothing else, no script, no font, no network."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from backtest.present.rendering import FigureFiles
from backtest.present.templates import drawn, environment
from backtest.replay.distribution import Distribution
from backtest.replay.study import Study
from backtest.studies.run.content import (
    books_table,
    cost_table,
    coverage_table,
    forecasts_table,
    ladder_tables,
    pooled_table,
)
from backtest.studies.run.facts import facts_of_data, facts_of_run, limits, standing_note
from backtest.studies.run.histories import simulated_table
from backtest.studies.run.swings import (
    disclosures_table,
    dominance_rows,
    family_table,
    swings_table,
)
from backtest.studies.run.verdict import named_portfolios, verdicts
from backtest.types import ResultsError

TEMPLATE = "report.html.j2"


def render_report(
    study: Study,
    ladder: pd.DataFrame,
    sweep: pd.DataFrame | None,
    figures: Sequence[FigureFiles],
    *,
    title: str,
    caption: str,
    explains: dict[str, str],
    command: str,
    distribution: Distribution | None = None,
    forecasts: pd.DataFrame | None = None,
) -> str:
    """Render the report as HTML.

    Parameters
    ----------
    ladder, sweep : what the figures were drawn from; a sweep of None is mentioned nowhere.
    figures : from `write_figures`; their SVG files are read and put into the page.
    explains : a line on each named portfolio; the tables show these and not the drawn ones.
    command : what to type to get the same numbers.
    distribution : scores over simulated histories, where the study drew some.
    forecasts : from `forecast_table`, where a model forecasts more than a margin.

    Raises
    ------
    ResultsError : a figure cannot be read.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["a < b"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"siloed": st.Siloed()})
    >>> words = {"title": "One book", "caption": "", "explains": {}, "command": "backtest run"}
    >>> page = render_report(study, pd.DataFrame(), None, [], **words)
    >>> "a &lt; b" in page, "SIMULATED" in page
    (True, True)
    """
    named = named_portfolios(study, explains)
    shown = [f for f in figures if sweep is not None or f.name != "treasury_share_sweep"]
    page = (
        environment()
        .get_template(TEMPLATE)
        .render(
            title=title,
            caption=caption.strip(),
            simulated=study.simulated,
            standing=standing_note(study),
            verdicts=verdicts(study, ladder, named),
            figures=[(f, drawn(f.svg)) for f in shown],
            scores=[coverage_table(study, named), cost_table(study, named)]
            + ([] if forecasts is None else [forecasts_table(forecasts, named)]),
            ladder=ladder_tables(study, ladder, named) if len(ladder) else [],
            pooled=[pooled_table(study), family_table(study), dominance_rows(study)],
            swings=[swings_table(study), disclosures_table(study)],
            histories=None if distribution is None else simulated_table(distribution),
            books=books_table(study, explains, named),
            limits=limits(study, ladder, named),
            data=facts_of_data(study),
            run=facts_of_run(study, command),
        )
    )
    return page + "\n"


def write_report(
    path: str | Path,
    study: Study,
    ladder: pd.DataFrame,
    sweep: pd.DataFrame | None,
    figures: Sequence[FigureFiles],
    *,
    title: str,
    caption: str,
    explains: dict[str, str],
    command: str,
    distribution: Distribution | None = None,
    forecasts: pd.DataFrame | None = None,
) -> Path:
    """Write `render_report` to `path`.

    Raises
    ------
    ResultsError : the file cannot be written, or a figure not read.

    Examples
    --------
    >>> import backtest as bt, strategies as st, tempfile
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"siloed": st.Siloed()})
    >>> words = {"title": "One book", "caption": "", "explains": {}, "command": "backtest run"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Path(folder) / "r.html", study, pd.DataFrame(), None, [], **words).name
    'r.html'
    """
    page = render_report(
        study,
        ladder,
        sweep,
        figures,
        title=title,
        caption=caption,
        explains=explains,
        command=command,
        distribution=distribution,
        forecasts=forecasts,
    )
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ResultsError(
            f"cannot write the report to {str(target)!r}: {error.strerror}."
        ) from error
    return target
