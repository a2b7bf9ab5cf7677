"""`backtest annex`: results folders as the annex of a comment letter, in Word, PDF and HTML."""

from pathlib import Path

from backtest.studies.command import REQUIRED, Command, Option

COMMAND = Command(
    name="annex",
    help=(
        "Merge results folders into the annex of a comment letter: Word, PDF and HTML with "
        "numbered figures and tables, a page for each topic of the request, data and sources."
    ),
    options=(
        Option(
            "results",
            list[Path],
            REQUIRED,
            "RESULT",
            "Finished results folders of any command, in the order in which they are shown.",
            argument=True,
        ),
        Option(
            "texts",
            Path | None,
            None,
            "DIR",
            "Your own text, a Markdown file a topic; 'texts' under --out if left out.",
        ),
        Option(
            "citations",
            Path | None,
            None,
            "FILE.toml",
            "Publisher, series, retrieval date and licence of your files of prices.",
        ),
        Option(
            "funding_rate",
            float | None,
            None,
            "PERCENT",
            "Rate at which margin is funded, per cent a year; needs --funding-source.",
            least=0.0,
        ),
        Option(
            "funding_source",
            str,
            "",
            "TEXT",
            "What that rate is, of which day, and who published it; printed beside it.",
        ),
    ),
    compute="study:annex_of",
    exhibit="page:annex_exhibit",
    store="store:write_annex",
    keeps=True,
)
