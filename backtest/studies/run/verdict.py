"""The verdict: one sentence a model, from the scores and nothing else."""

from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import parse_instrument
from backtest.present.numbers import millions, percent, pvalue
from backtest.replay.study import Study
from backtest.scores.models.multiple import holm
from backtest.studies.run.figures.ladder import has_bounds

SIGNIFICANT = 0.05
DOUBT = 0.5  # no book is named where even the smallest p-value is above it
CURVE = ("treasury", "rates")  # asset classes priced on the Treasury curve


def named_portfolios(study: Study, explains: dict[str, str]) -> list[str]:
    """The study's portfolios that its file names, in the study's order; all where it names none.

    explains : a line on each portfolio that the file names.
    """
    portfolios = [str(p) for p in study.exposure.index]
    return [p for p in portfolios if p in explains] or portfolios


def mixed_pools(study: Study, portfolios: list[str]) -> list[str]:
    """Portfolios that hold both Treasuries and something else."""
    holds = study.exposure.loc[portfolios] != 0
    treasury = np.array([parse_instrument(c).asset_class in CURVE for c in holds.columns])
    mixed = holds.loc[:, treasury].any(axis=1) & holds.loc[:, ~treasury].any(axis=1)
    return [str(p) for p in holds.index[mixed]]


def holm_rejections(pvalues: "pd.Series[float]", *, level: float = SIGNIFICANT) -> int:
    """Rejections after Holm's correction for the number of tests.

    Examples
    --------
    >>> holm_rejections(pd.Series([0.01, 0.03, 0.9]))
    1
    """
    return int(np.count_nonzero(holm(pvalues.to_numpy(np.float64)) <= level))


def verdicts(study: Study, ladder: pd.DataFrame, portfolios: list[str]) -> list[tuple[str, str]]:
    """Each model's sentence: coverage over `portfolios`, cost at equal coverage, the saving.

    ladder : from `OffsetLadder.to_frame`; without rows nothing is said of what the data support.

    Examples
    --------
    >>> import backtest as bt, strategies as st
    >>> market = bt.load_market("sample", end="2018-12-31")
    >>> frame = pd.DataFrame({"UST10Y": [1e8]}, index=["long"])
    >>> study = bt.run(market, bt.Book.from_frame(frame, market), {"siloed": st.Siloed()})
    >>> verdicts(study, pd.DataFrame(), ["long"])[0][0]
    'siloed'
    """
    sentences = []
    for model in study.models:
        coverage = coverage_words(study, model, portfolios)
        saving = _saving(study, model, ladder, portfolios)
        text = f"{coverage}; {cost_words(study, model)}; {saving}."
        sentences.append((model, text[0].upper() + text[1:]))
    failures = study.provenance.failed_models.items()
    return sentences + [(model, f"Failed, and left out: {reason}") for model, reason in failures]


def coverage_words(
    study: Study, model: str, portfolios: list[str], *, noun: str = "named book"
) -> str:
    """In how many portfolios the coverage of a model is rejected; `noun` says what they are."""
    scores = study.scores.loc[model].loc[portfolios]
    pvalues = scores["coverage_p"]
    confidence = f"{100 * study.provenance.confidence:g} %"
    books = f"{len(portfolios):,} {noun}{'s' if len(portfolios) > 1 else ''}"
    if pvalues.isna().all():
        return f"coverage of {confidence} was not tested"
    least = float(pvalues.min())
    smallest = f"smallest p {pvalue(least)}"
    if least < DOUBT:
        smallest += f", {pvalues.idxmin()}"
    rejections = int((pvalues <= SIGNIFICANT).sum())
    if not rejections:
        return f"coverage of {confidence} is not rejected in any of {books} ({smallest})"
    # Of many books tested at 5 %, some are rejected by chance: Holm's count allows for that.
    return (
        f"coverage of {confidence} is rejected at 5 % in {rejections:,} of {books} ({smallest}), "
        f"in {holm_rejections(pvalues):,} of them after Holm's correction for the number of "
        f"{noun.split()[-1]}s"
    )


def cost_words(study: Study, model: str) -> str:
    """What a model costs at equal coverage over all books, and how its worst book then fares."""
    pool: Any = study.pooled.loc[model]
    margin = float(pool["equal_coverage_margin"])
    if not np.isfinite(margin):
        return "no single scale over all books reaches the coverage"
    spread = f"{millions(pool['equal_coverage_low'])} to {millions(pool['equal_coverage_high'])}"
    text = (
        f"scaled to equal coverage over all books it asks {millions(margin)}m USD on average "
        f"({spread})"
    )
    yardstick = study.provenance.siloed_model
    if yardstick is not None and model != yardstick:
        base = float(study.pooled["equal_coverage_margin"][yardstick])
        if 0.0 < base < np.inf:
            change = margin / base - 1.0
            side = "more" if change > 0 else "less"
            text += f", {percent(abs(change))} {side} than {yardstick} does ({millions(base)}m)"
    return text + f", and its worst book then exceeds on {percent(pool['worst_rate'])} of days"


def _saving(study: Study, model: str, ladder: pd.DataFrame, portfolios: list[str]) -> str:
    yardstick = study.provenance.siloed_model
    if yardstick is None:
        return "the study has no siloed model to measure a saving from"
    if model == yardstick:
        return "savings are measured from it"
    pools = [p for p in portfolios if p in ladder.index and pd.notna(ladder["total"][p])]
    # Cross-margining is about pools of Treasuries with other assets: where the study has some, the
    # sentence is about them alone.
    mixed = mixed_pools(study, pools)
    pools, kind = (mixed, "pools of Treasuries with other assets") if mixed else (pools, "pools")
    if not pools:
        return "no named book is pooled over silos, so there is no saving to split"
    savings = study.scores.loc[model].loc[pools, "saving_vs_siloed"]
    where = f"{len(pools)} named {kind}"
    if savings.max() <= 0:
        least, most = percent(-savings.max()), percent(-savings.min())
        return (
            f"unscaled it asks {least} to {most} more than {yardstick} in the {where}, so "
            "there is no saving to split"
        )
    rows = ladder.loc[pools]
    text = (
        f"unscaled it saves {_range(savings)} against {yardstick} in the {where}; of a reduction "
        f"that the data support at {_range(rows['total'])}, diversification is "
        f"{_range(rows['diversification'])} and offset {_range(rows['dependence'], points=True)}"
    )
    if has_bounds(rows):
        positive = int((rows["dependence_bound"] > 0).sum())
        text += f", its 95 % lower bound above 0 in {positive or 'none'} of them"
    return text


def _range(shares: "pd.Series[float]", *, points: bool = False) -> str:
    low, high = float(shares.min()), float(shares.max())
    if points:
        ends = [percent(x, sign=True).removesuffix(" %") for x in (low, high)]
        return f"{ends[0]} to {ends[1]} percentage points"
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"
