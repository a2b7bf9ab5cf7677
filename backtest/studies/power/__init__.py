"""`backtest power`: what tests of coverage can see in records of a given length."""

from backtest.studies.command import Command, Option

COMMAND = Command(
    name="power",
    help=(
        "Show what the coverage tests can and cannot see: size, power, and the smallest "
        "miscoverage that a record could have shown."
    ),
    options=(
        Option("days", list[int], (), "N", "Length of a record; repeatable."),
        Option("confidence", float, 0.99, "C", "Promised coverage."),
        Option(
            "alternative",
            list[str],
            (),
            "NAME",
            "x1.5, x2, x3, clustered, overlap ...; repeatable.",
        ),
        Option("histories", int, 1000, "N", "Records drawn an alternative.", least=100),
        Option("seed", int, 0, "N", "Seed of the draws.", least=0),
    ),
    compute="study:study_power",
    exhibit="page:power_exhibit",
    draws=True,
)
