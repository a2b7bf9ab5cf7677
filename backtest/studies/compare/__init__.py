"""`backtest compare`: two results folders side by side."""

from pathlib import Path

from backtest.studies.command import REQUIRED, RESULT, Command, Option

COMMAND = Command(
    name="compare",
    help=(
        "Compare two results folders: what differs in inputs and scores, and differences paired by "
        "day with intervals."
    ),
    options=(
        Option("first", Path, REQUIRED, "A", RESULT, argument=True),
        Option("second", Path, REQUIRED, "B", RESULT, argument=True),
    ),
    compute="study:compare_runs",
    exhibit="page:comparison_exhibit",
)
