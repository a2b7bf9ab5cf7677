"""`backtest dossier`: what a reviewer of a model signs, from finished results folders."""

from pathlib import Path

from backtest.studies.command import REQUIRED, Command, Option

COMMAND = Command(
    name="dossier",
    help=(
        "Write a reviewer's file on one model from finished results folders: data, assumptions, "
        "tests, power, limits, findings, sign-off; what only a person can judge is left TO BE "
        "COMPLETED."
    ),
    options=(
        Option(
            "folders",
            list[Path],
            REQUIRED,
            "RESULT",
            "Results folders; one at least that `backtest run` or `backtest validate` wrote.",
            argument=True,
        ),
        Option("model", str | None, None, "NAME", "The model under review; the only one."),
        Option(
            "fields",
            Path | None,
            None,
            "FILE.toml",
            "What persons state; a template is in the results folder.",
        ),
    ),
    compute="study:study_dossier",
    exhibit="page:dossier_exhibit",
    store="store:write_results",
)
