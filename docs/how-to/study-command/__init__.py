"""`backtest mystudy`: the worst losses of a study's books."""  # GAP 1: what it shows

from backtest.studies.command import DATA, SEED, STUDY, Command

COMMAND = Command(
    name="mystudy",  # GAP 2: name of the command and of this folder
    help="Show the largest loss of every book and the day it began.",  # GAP 3: as in the README
    options=(STUDY, DATA, SEED),  # GAP 4: keywords of `compute`; an `Option` for one of its own
    compute="study:worst_losses",
    exhibit="study:worst_exhibit",
)
