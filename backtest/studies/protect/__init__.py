"""`backtest protect`: who bears what margins do not cover, by way of pooling."""

from dataclasses import replace

from backtest.studies.command import (
    DASK,
    DATA,
    ISOLATE,
    JOBS,
    SEED,
    STUDY,
    Command,
    Option,
)

COMMAND = Command(
    name="protect",
    help=(
        "Carry shortfalls through customers, clearing firms and houses to those who bear them: "
        "fellow-customer loss, mutual fund and margin of each way of pooling. --paths adds "
        "simulated histories."
    ),
    options=(
        replace(
            STUDY,
            help=(
                "Study file (TOML) with a [structure], or packaged study; customers-and-houses if "
                "left out."
            ),
        ),
        DATA,
        JOBS,
        DASK,
        SEED,
        ISOLATE,
        Option(
            "sweep",
            bool,
            False,
            "",
            "Move every assumption to the ends of its range too, which takes a minute or more.",
        ),
        Option("paths", int | None, None, "N", "Simulated histories beside the real one.", least=0),
    ),
    compute="study:study_protection",
    exhibit="page:protection_exhibit",
    store="store:write_results",
    quick=True,
)
