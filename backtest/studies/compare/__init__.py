"""`backtest compare`: two results folders or more, side by side."""

from pathlib import Path

from backtest.studies.command import REQUIRED, Command, Option

COMMAND = Command(
    name="compare",
    help=(
        "Compare results folders: what differs in inputs and scores, differences paired by day "
        "with intervals; of three and more, who keeps the standard at least margin."
    ),
    options=(
        Option(
            "folders",
            list[Path],
            REQUIRED,
            "A B [C]",
            "Results folders that `backtest run` or `backtest validate` wrote.",
            argument=True,
        ),
        Option("base", str | None, None, "NAME", "Folder that is A, the base; the first one."),
    ),
    compute="study:compare_folders",
    exhibit="page:comparison_exhibit",
)
