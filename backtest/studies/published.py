"""Published numbers that this installation meets: what its tests, scores and models rest on."""

from functools import cache

from backtest.anchors.run import Answered, Found, run_anchors
from backtest.present.table import Cell, TextTable

NOTE = (
    "Asked of this installation as the file was written; `backtest anchors` prints every number "
    "beside its source, and with --golden those of files that may not be passed on."
)
MOST_NAMED = 4  # publishers that a cell names


@cache
def reproduced() -> Found:
    """Every published number that ships, asked once in a process."""
    return run_anchors()


def published_table(found: Found) -> TextTable:
    """A row a set: how many numbers, how many met, who printed them."""
    return TextTable.of(
        f"Published numbers reproduced: {found.sentence()}",
        "set",
        [(each.of.title, each) for each in found.sets],
        {
            "numbers": lambda each: f"{len(each.answers):,}",
            "met": _met,
            "printed by": lambda each: Cell(_publishers(each), words=True),
        },
        note=NOTE,
    )


def _met(each: Answered) -> Cell:
    return Cell(f"{len(each.answers) - len(each.misses):,}", bold=bool(each.misses))


def _publishers(each: Answered) -> str:
    named = list(dict.fromkeys(answer.anchor.source for answer in each.answers))
    more = len(named) - MOST_NAMED
    return "; ".join(named[:MOST_NAMED]) + (f"; and {more:,} others" if more > 0 else "")
