"""`backtest mystudy`: the largest loss of every book over its margin period of risk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.book.closeout import Closeout
from backtest.present.exhibit import Exhibit, Section
from backtest.present.words import source_words, standard_words
from backtest.replay.manifest import describe_data, software
from backtest.studies.inputs import digest, read_inputs
from backtest.types import Progress

# GAP 5: what the reader is to know, and what the numbers do not say
CAPTION = "The largest loss of each book over its margin period of risk. No margin model enters."


@dataclass(frozen=True, eq=False)
class WorstLosses:
    """The largest loss of every book.

    Parameters
    ----------
    losses : row a book: `began` (ISO day) and `loss`, USD, positive.
    simulated : True where prices are. text : the study file. manifest : what gives these numbers.
    """  # GAP 6: the result: tables at full precision, no words and no formats

    losses: pd.DataFrame
    simulated: bool
    text: str
    manifest: dict[str, Any]


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
    manifest: dict[str, Any] = {
        "data": describe_data(market),
        "study": inputs.config.resolved(),
        "coverage": {
            "confidence": coverage.confidence,
            "mpor": Closeout(book, coverage).by_silo,
        },
        "rebalance": book.rebalance,
        "seed": inputs.config.seed,
        "software": software(),
    }
    manifest["sha256"] = digest([manifest["study"], manifest["data"]["levels_sha256"]])
    return WorstLosses(losses, market.simulated, inputs.text, manifest)


def worst_exhibit(result: WorstLosses) -> Exhibit:
    """The page and the screen of `backtest mystudy`."""
    manifest = result.manifest
    return Exhibit(
        kind="mystudy",  # GAP 8: part of the name of the results folder
        title="Largest losses",
        caption=CAPTION,
        simulated=result.simulated,
        standing=f"{source_words(manifest)}; {standard_words(manifest)}.",
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
        manifest=manifest,
        text=result.text,
    )
