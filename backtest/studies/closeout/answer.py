"""The sentences that the page of `backtest closeout` opens with, from intervals and verdicts."""

from typing import Any

import numpy as np
import pandas as pd

from backtest.instruments import parse_instrument
from backtest.present.numbers import percent
from backtest.studies.closeout.figures import MISMATCH, coordination_words, netted
from backtest.studies.closeout.study import CloseoutStudy
from backtest.studies.sentences import holding_words, not_shown, sentence
from backtest.studies.unshown import spot_clauses


def closeout_answer(study: CloseoutStudy) -> tuple[str, ...]:
    """Three sentences: how well silos must coordinate, the worst book, what is not shown."""
    return (
        _coordination(study),
        _against(study),
        not_shown(
            [
                "how often houses would in fact close out together",
                "what they would pay each other afterwards under a loss-sharing agreement",
                "what selling costs while others sell too",
                *spot_clauses(parse_instrument(str(name)) for name in study.exposure.columns),
            ],
            simulated=study.provenance.prices.simulated,
        ),
    )


def _coordination(study: CloseoutStudy) -> str:
    rows = netted(study)
    known = rows[rows["break_even_low"].notna()]
    if known.empty:
        return "No silo was ever short under its allocated margin, so coordination is not at stake."
    more, never = known[known["break_even"] > 0.0], known[np.isinf(known["break_even"])]
    shown = int((known["break_even_low"] > 0.0).sum())
    words = (
        f"Closed out apart, {_of(len(more), len(known), 'margin')} of a pool "
        f"{'leaves' if len(more) == 1 else 'leave'} some silo short more often than separate silos "
        f"would, each at its own standard ({shown or 'none'} of them beyond the 95 % interval)"
    )
    if more.empty:
        return sentence(words)
    finite = more.loc[np.isfinite(more["break_even"]), "break_even"]
    if len(finite):
        ends = [coordination_words(end) for end in (finite.min(), finite.max())]
        span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
        words += f"; a joint close-out has to have a probability of {span} to make up for it"
    if len(never):
        words += (
            f"; {len(never)} fall{'s' if len(never) == 1 else ''} short even if closed out as one"
        )
    unbounded = int((np.isinf(more["break_even_high"]) & np.isfinite(more["break_even"])).sum())
    if unbounded:
        words += (
            f", and for {unbounded} of them the record does not show that any probability is enough"
        )
    return sentence(words)


def _against(study: CloseoutStudy) -> str:
    """The book whose silos are short most often, and what unequal days add at most."""
    rows = netted(study).reset_index()
    row = rows.iloc[int(rows["any_short"].argmax())]
    book, model = row["book"], row["model"]
    allowed = percent(1.0 - study.provenance.confidence, digits=2)
    words = (
        f"the worst book is {book} ({holding_words(study.exposure.loc[book].to_dict())}) under "
        f"{model}: its silos, closed out apart, leave one short on {_rate(row, 'any_short')} of "
        f"days, where separate silos would on {percent(row['allowed'], digits=2)}, and its pool is "
        f"short on {_rate(row, 'pooled_short')}, where {allowed} is allowed"
    )
    charges = study.steps[
        (study.steps["step"] == MISMATCH) & (study.steps["mpor"] == study.unequal)
    ]
    if len(charges):
        most = charges.iloc[int(charges["share_of_gross"].argmax())]
        points = f"{100 * float(most['share_of_gross']):.1f}"
        words += f"; closing out over {study.unequal} adds " + (
            f"at most {points} points of the silos' margins ({most['book']}, {most['model']})"
            if float(points) > 0.0
            else "nothing to the mean margin of any book"
        )
    return sentence(words)


def _rate(row: "pd.Series[Any]", name: str) -> str:
    """A rate with its interval, in per cent."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    known = "" if np.isnan(low) else f" [{100 * low:.2f}, {100 * high:.2f}]"
    return f"{percent(row[name], digits=2)}{known}"


def _of(count: int, total: int, noun: str) -> str:
    return f"{count or 'none'} of {total} {noun}{'' if total == 1 else 's'}"
