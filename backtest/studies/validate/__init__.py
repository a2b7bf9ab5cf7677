"""`backtest validate`: margins that somebody else computed, scored as those of a study."""

from backtest.studies.command import REQUIRED, SEED, Command, Option

COMMAND = Command(
    name="validate",
    help=(
        "Score margins that somebody else computed, from a table of P&L and margin: every test, "
        "a row an account and model."
    ),
    options=(
        Option(
            "file",
            str,
            REQUIRED,
            "FILE",
            "CSV, parquet or .xlsx: date, account, loss or pnl, required ... (docs/validate.md).",
            argument=True,
        ),
        Option(
            "pnl",
            str,
            "mpor",
            "SPAN",
            "What a row's P&L spans: 'mpor', the MPOR after its margin, or 'daily', one day.",
        ),
        Option("confidence", float, 0.99, "LEVEL", "Share of days that a margin is to cover."),
        Option("mpor", int, 2, "DAYS", "Margin period of risk in margin days.", least=1),
        Option("call_lag", int, 1, "DAYS", "Margin days until a call has settled.", least=0),
        Option("currency", str, "USD", "NAME", "Currency of the amounts, in heads and captions."),
        Option("all", bool, False, "", "Show every account, not the 20 worst."),
        Option("signs_checked", bool, False, "", "Take the signs as they are."),
        SEED,
    ),
    compute="study:execute",
    exhibit="page:validation_exhibit",
    store="store:write_results",
)
