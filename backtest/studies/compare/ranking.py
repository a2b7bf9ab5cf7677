"""Who keeps the standard at least margin: the ranking of a comparison of several folders."""

import pandas as pd

from backtest.present.exhibit import Section
from backtest.present.numbers import millions, percent
from backtest.present.table import Cell, Columns, TextTable, records
from backtest.replay.worst import MOST_SHOWN
from backtest.studies.compare.figure import rate_against_margin
from backtest.studies.compare.letters import spans
from backtest.studies.compare.many import ManyRuns, common_books

RANKING_TEXT = (
    "Every model of every folder over the {books} books that all have, held to the standard of its "
    "folder. First those whose coverage is rejected at 5 % in no book after Holm's correction for "
    "their number, then the others; the least mean margin first. Equal coverage: after one "
    "scale for all books, in hindsight. Not being rejected is not being right, and of many "
    "candidates the cheapest that passes is also the luckiest."
)
NO_COMMON = "No book is in all folders, so nothing is ranked."
OTHER_RISKS = (
    "Not the same losses on the same days as in A, so that rates and margins are partly those of "
    "other days or positions: {folders}."
)


def ranking_section(many: ManyRuns) -> Section:
    """Every model of every folder over the books that all have, and the figure of it."""
    ranking, books = many.ranking, len(common_books(many.runs))
    if ranking.empty:
        return Section("ranking", "Who keeps the standard at least margin", NO_COMMON)
    columns: Columns = {
        "folder, model": lambda row: Cell(f"{row['folder']}, {row['model']}", words=True),
        "keeps the standard": lambda row: Cell("yes" if row["keeps"] else "no", bold=row["keeps"]),
        "books rejected": lambda row: f"{row['rejected']} of {row['tested']}",
        "exceedance rate": lambda row: percent(row["exceedance_rate"], digits=2),
        "allowed": lambda row: percent(row["allowed_rate"], digits=2),
        "mean margin": lambda row: millions(row["mean_margin"]),
        "equal-coverage margin": lambda row: millions(row["equal_coverage_margin"]),
    }
    # A model that no folder changed is one row.
    merged = _merged(ranking)
    shown = records(merged.iloc[:MOST_SHOWN])
    title = f"USD m a book, {first_of(len(shown), len(merged))}"
    return Section(
        "ranking",
        "Who keeps the standard at least margin",
        RANKING_TEXT.format(books=f"{books:,}"),
        ranking,
        tables=(TextTable.of(title, "rank", [(f"{n}", row) for n, row in shown], columns),),
        figure=rate_against_margin(
            ranking,
            folder_words(many),
            simulated=any(run.simulated for run in many.runs),
            currency=many.runs[0].provenance.currency,
        ),
        sentences=_other_risks(many),
    )


def folder_words(many: ManyRuns) -> list[str]:
    """Letter and name of each folder."""
    return [f"{a} {name}" for a, name in zip(many.letters, many.folders, strict=True)]


def _merged(ranking: pd.DataFrame) -> pd.DataFrame:
    """The rows of a ranking; those of one model with the same numbers are one."""
    numbers = [column for column in ranking.columns if column != "folder"]
    merged = ranking.groupby(numbers, sort=False)["folder"].agg(spans).reset_index()
    return merged.set_axis(range(1, len(merged) + 1), axis=0)


def first_of(shown: int, rows: int) -> str:
    """How many of the rows are shown, in words."""
    return f"the first {shown} of {rows}" if shown < rows else f"all {rows}"


def _other_risks(many: ManyRuns) -> tuple[str, ...]:
    """Which folders are not of the same losses as the base, and why."""
    rows = many.against_base
    unpaired = rows[rows["reason"].fillna("") != ""].drop_duplicates(["folder", "portfolio"])
    alike: dict[str, list[str]] = {}
    for letter, books in unpaired.groupby("folder", sort=False):
        reasons = books["reason"].str.replace(r" on .*", "", regex=True).unique()
        count = f"{len(books):,} book{'s' if len(books) > 1 else ''}"
        alike.setdefault(f"in {count} ({', '.join(reasons)})", []).append(str(letter))
    words = (f"{spans(which)} {where}" for where, which in alike.items())
    return (OTHER_RISKS.format(folders="; ".join(words)),) if alike else ()
