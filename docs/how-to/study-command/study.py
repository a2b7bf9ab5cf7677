"""`backtest mystudy`: the largest loss of every book over its margin period of risk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.replay.provenance import Provenance
from backtest.studies.inputs import read_inputs
from backtest.types import Progress

# GAP 5: what the reader is to know, and what the numbers do not say
CAPTION = "The largest loss of each book over its margin period of risk. No margin model enters."


@dataclass(frozen=True, eq=False)
class WorstLosses:
    """The largest loss of every book.

    Parameters
    ----------
    losses : row a book: `began` (ISO day) and `loss`, USD, positive.
    simulated : True where prices are. text : the study file. provenance : where the
        numbers come from, and what is needed to get the same.
    """  # GAP 6: the result: tables at full precision, no words and no formats

    losses: pd.DataFrame
    simulated: bool
    text: str
    provenance: Provenance


def worst_losses(
    study_file: Path | None, *, data: str | None, seed: int | None, progress: Progress
) -> WorstLosses:
    """Largest loss of each book of a study file.

    Raises
    ------
    StudyError, DataError : what a study file or its prices lack.
    """
    inputs = read_inputs(study_file, data=data, seed=seed, progress=progress)
    market, book, coverage = inputs.market, inputs.book, inputs.config.standard()
    progress("losses", 0.0)
    # GAP 7: the numbers. Losses are (days, portfolios, silos) USD, loss > 0; NaN on the last days,
    # whose close-out has not ended.
    loss = book.loss(market, coverage).sum(axis=2)
    worst = np.nanargmax(loss, axis=0)
    losses = pd.DataFrame(
        {"began": market.dates[worst].astype(str), "loss": np.nanmax(loss, axis=0)},
        index=pd.Index(book.portfolios, name="book"),
    )
    provenance = Provenance.of(market, book, {}, coverage=coverage, seed=inputs.config.seed)
    provenance = provenance.of_study(inputs.config.resolved(), inputs.hashes)
    return WorstLosses(losses, market.simulated, inputs.text, provenance)


def worst_exhibit(result: WorstLosses) -> Exhibit:
    """The page and the screen of `backtest mystudy`."""
    return Exhibit(
        kind="mystudy",  # GAP 8: part of the name of the results folder
        title="Largest losses",
        caption=CAPTION,
        simulated=result.simulated,
        source_line=f"{result.provenance.sentence()}.",
        # GAP 9: sections in the order in which they are read, each a question with a table
        sections=(
            Section(
                name="worst_losses",
                heading="The largest loss of each book",
                text="USD, over the margin period of risk that began on the day shown.",
                table=result.losses,
                formats={"loss": ",.0f"},
            ),
        ),
        provenance=result.provenance,
        text=result.text,
    )
