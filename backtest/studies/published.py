"""Published numbers that this installation meets: what its tests, scores and models rest on."""

from dataclasses import replace
from functools import cache

from backtest.anchors.run import Found, run_anchors
from backtest.anchors.tables import summary
from backtest.present.table import TextTable

NOTE = (
    "Asked of this installation as this was written; `backtest anchors` prints every number "
    "beside its source, and with --golden those of files that may not be passed on."
)


@cache
def reproduced() -> Found:
    """Every published number that ships, asked once in a process."""
    return run_anchors()


def published_table(found: Found) -> TextTable:
    """A row a set: how many numbers, how many met, who printed them."""
    caption = f"Published numbers reproduced: {found.sentence()}"
    return replace(summary(found), caption=caption, note=NOTE)
