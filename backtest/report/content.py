"""Everything the page says, as plain strings: rows of tables, limits, data, how to rerun."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ..charts.describe import source_words, standard_words
from ..results import Study
from .tables import (
    counts,
    interval,
    millions,
    percent,
    pvalue,
    pvalue_pair,
    ratio,
)
from .verdict import SIGNIFICANT, mixed_pools

Rows = list[list["Cell"]]


@dataclass(frozen=True)
class Cell:
    """One cell: its text, and whether it is to be noticed."""

    text: str
    noticed: bool = False


@dataclass(frozen=True)
class TableOf:
    """A table: caption, column heads, and groups of rows under one row head each."""

    caption: str
    heads: list[str]
    groups: list[tuple[str, Rows]] = field(default_factory=list)
    notes: str = ""


def coverage_table(study: Study, portfolios: list[str]) -> TableOf:
    """Counts and tests of every named book under every model."""
    groups = []
    for portfolio, scored in _by_portfolio(study, portfolios):
        rows = [
            [
                Cell(model),
                Cell(counts(row["exceedances"], row["allowed"])),
                Cell(interval(row, "exceedance_rate", lambda x: percent(x, digits=2))),
                Cell(pvalue(row["coverage_p"]), noticed=row["coverage_p"] < SIGNIFICANT),
                Cell(f"{int(row['breaches']):,}"),
                Cell(pvalue_pair(row["kupiec_p"], row["kupiec_p_min"])),
                Cell(pvalue_pair(row["christoffersen_p"], row["christoffersen_p_min"])),
            ]
            for model, row in scored
        ]
        groups.append((portfolio, rows))
    return TableOf(
        "Coverage of the named books",
        [
            "book", "model", "exceedances", "exceedance rate [95 %]", "coverage p", "breaches",
            "Kupiec p, median / minimum over phases",
            "Christoffersen p, median / minimum over phases",
        ],
        groups,
        "Coverage p is one-sided (a rate above the standard) and respects overlapping losses: it "
        "is the verdict; below 0.05 it is set in bold. Kupiec and Christoffersen run on every "
        "H-th day, once for each phase of an MPOR of H days.",
    )  # fmt: skip


def cost_table(study: Study, portfolios: list[str]) -> TableOf:
    """Cost and severity of every named book under every model."""
    groups = []
    for portfolio, scored in _by_portfolio(study, portfolios):
        rows = [
            [
                Cell(model),
                Cell(millions(row["mean_margin"])),
                Cell(percent(row["saving_vs_siloed"])),
                Cell(interval(row, "equal_coverage", millions)),
                Cell(millions(row["mean_excess"])),
                Cell(millions(row["max_excess"])),
                Cell(ratio(row["peak_to_trough"])),
            ]
            for model, row in scored
        ]
        groups.append((portfolio, rows))
    return TableOf(
        "Cost and severity in the named books, USD m",
        [
            "book", "model", "mean margin", "saving vs siloed",
            "equal-coverage margin [95 %]", "mean excess", "largest excess", "peak to trough",
        ],
        groups,
        "Excess: loss above the requirement, over exceedance days. Equal coverage scales each book "
        "in hindsight to its allowed exceedances; it rests on one day in a hundred.",
    )  # fmt: skip


def _by_portfolio(
    study: Study, portfolios: list[str]
) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    for portfolio in portfolios:
        yield (
            portfolio,
            [(m, study.scores.loc[(m, portfolio)].to_dict()) for m in study.models],
        )


def ladder_table(study: Study, ladder: pd.DataFrame, portfolios: list[str]) -> TableOf:
    """Total reduction, diversification and offset of the named books held in several silos."""
    silos = [c.removeprefix("usd_") for c in ladder.columns if c.startswith("usd_")]
    groups = []
    for portfolio in [p for p in portfolios if p in ladder.index]:
        row: Any = ladder.loc[portfolio].to_dict()
        reason = row["reason"] if isinstance(row["reason"], str) else ""
        cells = [
            Cell(percent(row["total"])),
            Cell(percent(row["diversification"])),
            Cell(percent(row["dependence"], sign=True)),
            Cell(percent(row["raw"])),
            Cell(f"{int(row['exceedances']):,} of {int(row['observations']):,}"),
            Cell(_by_silo(row, silos, "usd_", millions)),
            Cell(_by_silo(row, silos, "kappa_", ratio)),
        ]
        if reason:
            cells[0] = Cell(f"n/a: {reason}")
        groups.append((portfolio, [cells]))
    return TableOf(
        "Reduction from pooling silos, as a share of their equal-coverage margins",
        [
            "book", "total reduction", "diversification", "offset (dependence)",
            "raw (silos unscaled)", "exceedances behind it", "USD m by silo", "scale by silo",
        ],
        groups,
        "Diversification is what independence alone gives: the reduction left when the silos are "
        "shifted against each other in time. Offset is the rest. Point estimates without bounds.",
    )  # fmt: skip


def _by_silo(row: dict[str, Any], silos: list[str], prefix: str, show: Any) -> str:
    values = {silo: row.get(f"{prefix}{silo}") for silo in silos}
    return ", ".join(f"{silo} {show(v)}" for silo, v in values.items() if pd.notna(v))


def pooled_table(study: Study) -> TableOf:
    """One scale a model over all books, named and drawn."""
    groups = [
        (
            model,
            [
                [
                    Cell(f"{ratio(row['scale'])} [{ratio(row['scale_low'])}, "
                         f"{ratio(row['scale_high'])}]"),
                    Cell(millions(row["mean_margin"])),
                    Cell(interval(row, "equal_coverage", millions)),
                    Cell(percent(row["tenth_percentile_rate"], digits=2)),
                    Cell(percent(row["worst_rate"], digits=2)),
                    Cell(str(study.exposure.index[int(row["worst_book"])])),
                ]
            ],
        )
        for model, row in ((m, study.pooled.loc[m].to_dict()) for m in study.models)
    ]  # fmt: skip
    return TableOf(
        f"All {len(study.exposure)} books pooled: one scale a model, USD m",
        [
            "model", "scale [95 %]", "mean margin", "equal-coverage margin [95 %]",
            "rate of the book one in ten is worse than", "rate of the worst book", "worst book",
        ],
        groups,
        "One factor per model, in hindsight, at which all books together keep the standard; the "
        "rates are at that factor. A scale a book would hide what a model gets wrong across books.",
    )  # fmt: skip


def books_table(study: Study, explains: dict[str, str], portfolios: list[str]) -> TableOf:
    """What each named book holds, and why it is there."""
    groups = []
    for portfolio in portfolios:
        held = study.exposure.loc[portfolio]
        usd = ", ".join(f"{name} {value / 1e6:+,.2f}" for name, value in held[held != 0].items())
        groups.append((portfolio, [[Cell(usd), Cell(explains.get(portfolio, ""))]]))
    drawn = len(study.exposure) - len(portfolios)
    return TableOf(
        "The named books",
        ["book", "holding, USD m", "what it is"],
        groups,
        f"{drawn} drawn books, seeded, enter the pooled table and the first figure."
        if drawn
        else "",
    )


def standing_note(study: Study) -> str:
    """What stands under every table: the standard, n, and how positions are kept."""
    window = study.manifest["window"]
    kept = (
        "Positions are constant USD, rebalanced daily."
        if study.manifest["rebalance"] == "daily"
        else "Positions are units bought on the first day and held."
    )
    standard = standard_words(study.manifest).split(";")[0]
    return (
        f"{standard}; {window['observations']:,} scored days, {window['first_scored']} to "
        f"{window['last_scored']}. {kept}"
    )


def limits(study: Study, portfolios: list[str]) -> list[str]:
    """What the numbers cannot carry."""
    factors = study.manifest["data"]["factors"]
    yields = [name for name, kind in factors.items() if kind == "yield"]
    prices = [name for name, kind in factors.items() if kind == "price"]
    said = []
    if study.simulated:
        said.append(
            "Prices are SIMULATED. Nothing here is evidence about any market; only a run on real "
            "prices is."
        )
    said.append(
        "No clearing house runs exactly these models. They stand for families of models under one "
        "standard, without the add-ons, floors and intraday calls that clearing houses use."
    )
    said.append(
        "Equal coverage is in-sample: each scale is chosen in hindsight and rests on about one day "
        "in a hundred. It is printed with its interval; intervals of two models are not an "
        "interval of their difference."
    )
    said.append(
        "The offset ladder is a point estimate and carries no bound yet. An offset of a point or "
        "two may be chance, of either sign."
    )
    if study.manifest["rebalance"] == "daily":
        said.append(
            "Positions are constant USD, rebalanced daily at no cost, so that risk is comparable "
            "over the years; a real book drifts."
        )
    if yields:
        said.append(
            "Treasury profit and loss is that of a par bond repriced on the par yield curve. Par "
            "yields are fitted, not traded prices; bid-ask, specialness and the futures basis are "
            "not in them."
        )
    if yields and prices and mixed_pools(study, portfolios):
        said.append(
            "A crypto level is the close of its date, three to four hours after the bond market's. "
            "Moves in between fall on different days in the two legs, which blurs dependence."
        )
    said.append(
        "Overlapping losses: one move can be an exceedance on several days. Coverage p and the "
        "intervals allow for it; the bare counts do not."
    )
    said.append(
        "A record of some years at 99 % has few days in the tail: a model that is not rejected has "
        "not been shown to be right."
    )
    return said


def facts_of_data(study: Study) -> list[tuple[str, str]]:
    """Source, hashes, windows and dropped days."""
    data, window = study.manifest["data"], study.manifest["window"]
    facts = [
        ("source", source_words(study.manifest)),
        ("prices", f"{data['days']:,} margin days, {data['first']} to {data['last']}"),
        (
            "scored",
            f"{window['observations']:,} days, {window['first_scored']} to "
            f"{window['last_scored']}",
        ),
        ("factors", ", ".join(f"{name} ({kind})" for name, kind in data["factors"].items())),
        ("sha256 of the levels", data["levels_sha256"]),
    ]
    facts += [(f"sha256 of {f['name']}", f["sha256"]) for f in data.get("files", [])]
    dropped = ", ".join(data["dropped"]) or "none"
    facts.append((f"days dropped ({data['dropped_count']:,})", dropped))
    return facts


def facts_of_run(study: Study, command: str) -> list[tuple[str, str]]:
    """Command, seed, versions, commit, terms, models and the causality audit."""
    manifest = study.manifest
    software = dict(manifest["software"])
    commit, dirty = software.pop("commit", None), software.pop("dirty", None)
    account = manifest["account"]
    facts = [("command", command), ("seed", str(manifest["seed"]))]
    facts.append(("bootstrap resamples", f"{manifest['resamples']:,}"))
    for key, label in (("sha256", "sha256 of study and prices"), ("study_sha256", "of the study")):
        if key in manifest:
            facts.append((label, manifest[key]))
    facts.append(("versions", ", ".join(f"{name} {v}" for name, v in software.items())))
    state = " with uncommitted changes" if dirty else ""
    facts.append(("commit", f"{commit}{state}" if commit else "not run from a checkout"))
    facts.append(
        (
            "collateral account",
            f"call lag {account['call_lag']} margin days, minimum transfer "
            f"{account['minimum_transfer']:,.0f} USD, {account['collateral']}, excess "
            f"{account['excess']}",
        )
    )
    facts += [(f"model {name}", shown) for name, shown in manifest["models"].items()]
    audits = manifest["causality"]
    for name, audit in audits.items():
        facts.append(
            (
                f"causality of {name}",
                f"future cut off on {len(audit['cut_days'])} days; largest relative change of an "
                f"earlier margin {audit['largest_change']:.1e}",
            )
        )
    if not audits:
        facts.append(("causality audit", "not run"))
    return facts
