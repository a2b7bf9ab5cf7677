"""`backtest closeout`: pooled books closed out by several silos."""

from backtest.studies.command import DATA, ISOLATE, SEED, STUDY, Command

COMMAND = Command(
    name="closeout",
    help=(
        "Close out pooled books: how well silos must coordinate, what unequal MPORs take back, "
        "what selling costs."
    ),
    options=(STUDY, DATA, SEED, ISOLATE),
    compute="study:estimate_closeout",
    exhibit="page:closeout_exhibit",
    quick=True,
    draws=True,
)
