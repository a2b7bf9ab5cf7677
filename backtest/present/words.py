"""What a footnote says of a study: source, window, standard, models, version."""

from typing import Any

COST_WORDS = "; losses include liquidation cost (approximate)"
COUNTED_IN = {"margin_days": "margin", "cash": "Fedwire", "stablecoin": "calendar"}


def standard_words(manifest: dict[str, Any]) -> str:
    """Confidence, MPOR and how positions are kept, in words."""
    days = manifest["coverage"]["mpor"]
    if len(set(days.values())) == 1:
        mpor = f"{next(iter(days.values()))} margin days"
    else:
        mpor = ", ".join(f"{silo} {d}" for silo, d in days.items()) + " margin days"
    kept = "constant USD, rebalanced daily" if manifest["rebalance"] == "daily" else "units held"
    if "liquidation" in manifest:
        kept += COST_WORDS
    return f"{100 * manifest['coverage']['confidence']:g} % coverage over an MPOR of {mpor}; {kept}"


def source_words(manifest: dict[str, Any]) -> str:
    """Where prices come from; begins with SIMULATED where they are."""
    source = str(manifest["data"]["source"])
    if manifest["data"]["simulated"] and not source.startswith("SIMULATED"):
        source = f"SIMULATED: {source}"
    return source


def call_lag_words(manifest: dict[str, Any]) -> str:
    """How long calls take, in the days they are counted in.

    Examples
    --------
    >>> call_lag_words({"account": {"call_lag": 1, "settlement": "cash"}})
    'call lag 1 Fedwire days'
    """
    account = manifest["account"]
    counted = COUNTED_IN[account.get("settlement", "margin_days")]
    return f"call lag {account['call_lag']} {counted} days"


def window_words(manifest: dict[str, Any]) -> str:
    """Scored window and number of days."""
    window = manifest["window"]
    return (
        f"scored {window['first_scored']} to {window['last_scored']}, "
        f"n = {window['observations']:,} days"
    )


def model_words(manifest: dict[str, Any]) -> str:
    """Names of the models with their kinds; parameters stand in the manifest."""
    kinds = {name: shown.split("(")[0] for name, shown in manifest["models"].items()}
    return ", ".join(f"{name} ({kind})" for name, kind in kinds.items())


def version_words(manifest: dict[str, Any]) -> str:
    """Version and commit of the software; '+' marks a checkout with changes."""
    software = manifest["software"]
    words = "margin-backtest"
    if str(software.get("margin-backtest", ""))[:1].isdigit():
        words += f" {software['margin-backtest']}"
    if software.get("commit"):
        words += f", commit {software['commit'][:8]}{'+' if software.get('dirty') else ''}"
    return words
