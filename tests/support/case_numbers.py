"""The numbers of docs/cases.md, from the folders of results of the packaged cases."""

from pathlib import Path

import pandas as pd

from backtest.config.load import load_study
from backtest.studies.protect.dollar_sections import no_bound

BASIS, BITCOIN, PENSION = "basis-fund", "bitcoin-treasury-fund", "pension"
POSTER, MANDATE = "collateral-poster", "clearing-mandate"
NAMES = (BASIS, BITCOIN, PENSION, POSTER, MANDATE)
ARRANGEMENTS = ("house pooled", "customers gross, segregated", "customers gross, commingled")
COMMINGLED = ARRANGEMENTS[-1]
STEPS = {
    "today, no haircut": "no haircut",
    "today, as surveyed": "as surveyed",
    "today, 2 % on all": "2 % on all",
    "cleared, each house alone": "cleared alone",
    "cleared, cross-margined": "cross-margined",
}


def model_of(name: str) -> str:
    """The model that a case is told by: that of an arrangement between houses, its last one."""
    return [*load_study(Path(name))[0].models][-1]


def told(folders: dict[str, Path]) -> dict[str, list[str]]:
    """Lines of each table of the page, by the name of its marks."""

    def read(name: str, table: str, *index: str) -> pd.DataFrame:
        return pd.read_csv(folders[name] / f"{table}.csv", index_col=list(index))

    lines: dict[str, list[str]] = {key: [] for key in ("balance", "accounts", "swept")}
    for name in NAMES:
        model = model_of(name)
        table = read(name, "dollars", "model", "arrangement").loc[model]
        for arrangement in ARRANGEMENTS:
            if arrangement in table.index and not (
                arrangement == "house pooled" and name == MANDATE  # no firm's own account
            ):
                row = table.loc[arrangement]
                cells = (
                    f"{row['margin'] / 1e6:,.0f}",
                    *(bounds(row, c) for c in ("funding_freed", "capital_freed")),
                    *(bounds(row, c) for c in ("loss_fellow", "loss_others", "net")),
                )
                lines["balance"].append(line(f"`{name}`", arrangement, *cells))
        accounts = read(name, "account_dollars", "account", "model", "arrangement")
        (account,) = accounts.index.unique("account")
        alone, pooled = (accounts.loc[(account, model, a)] for a in ("silos", COMMINGLED))
        support = read(name, "supported_savings", "account").loc[account]
        lines["accounts"].append(
            line(
                f"`{name}`, {account}",
                f"{alone['margin'] / 1e6:,.0f}",
                f"{pooled['margin'] / 1e6:,.0f}",
                f"{1 - pooled['margin'] / alone['margin']:.0%}".replace("%", " %"),
                f"{support['total']:.0%} [{support['total_bound']:.0%}]".replace("%", " %"),
                f"{support['dependence']:.0%} [{support['dependence_bound']:.0%}]".replace(
                    "%", " %"
                ),
                bounds(pooled, "funding_freed"),
            )
        )
        swept = read(name, "dollars_swept", "assumption", "value")
        swept.index = [f"{a} {v}".replace(" nan", "") for a, v in swept.index]
        kept = ("resources 0.0", "resources 2.0", "coordination of houses 0", "multiplier 1.3")
        nets = (f"{swept.loc[key, 'net'] / 1e6:+.1f}" for key in ("as assumed", *kept))
        lines["swept"].append(line(f"`{name}`", *nets))
    posted = read(POSTER, "dollars_posted", "collateral", "arrangement")
    lines["posted"] = [
        line(
            str(collateral),
            f"{row['market_value'] / 1e6:,.0f}",
            bounds(row, "extra"),
        )
        for collateral, row in posted.xs(COMMINGLED, level="arrangement").iterrows()
    ]
    capital = read(BASIS, "own_capital", "account", "rule")
    lines["capital"] = [
        line(account, rule, f"{row['capital'] / 1e6:,.0f}", bounds(row, "cost"))
        for (account, rule), row in capital.iterrows()
    ]
    mandate = read(MANDATE, "mandate", "book", "step")
    lines["mandate"] = [
        line(
            str(book),
            *(f"{mandate.loc[(book, step), 'margin'] / 1e6:,.0f}" for step in STEPS),
            bounds(mandate.loc[(book, "cleared, each house alone")], "cost"),
            bounds(mandate.loc[(book, "cleared, cross-margined")], "cost"),
        )
        for book in mandate.index.unique("book")
    ]
    return lines


def line(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def bounds(row: pd.Series, column: str) -> str:
    """USD millions with their bounds, or without where events are too few; '0' where nothing is."""
    point, low, high = (row[column + end] / 1e6 for end in ("", "_low", "_high"))
    shown = signed(point)
    if pd.isna(low):
        return f"{shown} ({no_bound(row[f'{column}_events'])})"
    ends = [signed(low), signed(high)]
    return shown if {shown, *ends} == {"0"} else f"{shown} [{', '.join(ends)}]"


def signed(value: float) -> str:
    """Millions with a sign; '0' for what one decimal does not show."""
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0"
