"""Whether the tables of a stored run belong together: its seal can be forged, this not by accident.

A results folder comes from somebody else. Its seal says that no file was changed since, not that a
run wrote them: whoever changes a table can seal it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.types import MOST_MARGIN, BacktestError, ResultsError

if TYPE_CHECKING:
    from backtest.replay.study import Study


@contextmanager
def as_written(folder: Path) -> Iterator[None]:
    """A ResultsError for whatever fails on the content of a folder whose seal holds.

    Examples
    --------
    >>> with as_written(Path("sent")):
    ...     {}["scale"]
    Traceback (most recent call last):
    ...
    backtest.types.ResultsError: 'sent' holds what no run writes (KeyError: 'scale'); ask for it \
again, or run the study.
    """
    try:
        yield
    except BacktestError:
        raise
    except Exception as error:
        raise refusal(folder, f"{type(error).__name__}: {error}") from error


def refusal(folder: Path, reason: str) -> ResultsError:
    """What is said of a folder whose content is not that of any run."""
    return ResultsError(
        f"{str(folder)!r} holds what no run writes ({reason}); ask for it again, or run the study."
    )


def check_coherent(study: "Study", folder: Path) -> None:
    """Raise ResultsError where the frames, the scores and the manifest contradict each other."""
    for check in (_of_manifest, _of_frames, _of_scores):
        for reason in check(study):
            raise refusal(folder, reason)


def _of_manifest(study: "Study") -> Iterator[str]:
    origin = study.provenance
    if (origin.data is None) == (origin.given is None):
        yield "its manifest has no prices and no given table, or both"
        return
    if None in (origin.window, origin.standard, origin.account):
        yield "its manifest has no scored days, standard or account"
        return
    held_to = origin.held_to
    if not 0.0 < held_to.confidence < 1.0:
        yield f"a confidence of {held_to.confidence:g}"
    if min([held_to.overlap, *held_to.mpor.values()]) < 1:
        yield "a close-out of less than a day"
    if min(origin.seed, origin.paths, origin.path or 0, origin.terms.call_lag) < 0:
        yield "a seed, a number of paths or a call lag below zero"


def _of_frames(study: "Study") -> Iterator[str]:
    origin, index = study.provenance, study.loss.index
    if not index.is_monotonic_increasing or not index.is_unique:
        yield "its days are not in order"
    if set(study.models) != set(origin.models) - set(origin.failed_models):
        yield "its models are not those of its manifest"
    rows = len(study.scored)
    if rows == 0 or rows != origin.scored.observations:
        yield f"{rows:,} scored days, and {origin.scored.observations:,} in its manifest"
    for frames in (study.required, study.held, study.shortfall):
        for model, frame in frames.items():
            values = frame.to_numpy()
            if values.dtype != np.float64 or ((values < 0) | (values > MOST_MARGIN)).any():
                yield f"a margin, holding or shortfall of {model!r} that is no amount of USD"
    for what, frame in chain([("loss", study.loss)], (("call", f) for f in study.call.values())):
        values = frame.to_numpy()
        if values.dtype != np.float64 or (np.abs(values) > MOST_MARGIN).any():
            yield f"a {what} that is no amount of USD"
    own = study.own
    for frame in chain([study.loss], study.required.values()):  # one in memory at a time
        missing = frame.loc[study.scored].isna()
        if (missing if own is None else missing & own).any(axis=None):
            yield "a scored day without a loss or a margin"
    if own is not None and not own.any(axis=0).all():
        yield "an account without a scored day"


def _of_scores(study: "Study") -> Iterator[str]:
    """What the scores say of the frames, computed again where that is one line."""
    pairs = pd.MultiIndex.from_product([study.models, study.loss.columns])
    if list(study.scores.index) != list(pairs) or list(study.pooled.index) != list(study.models):
        yield "its scores are not those of its models and portfolios"
        return
    loss = study.loss.loc[study.scored].to_numpy()
    for model, frame in study.required.items():
        required = frame.loc[study.scored].to_numpy()
        own = np.ones(required.shape, dtype=np.bool_) if study.own is None else study.own
        scores = study.scores.loc[model]
        same = (scores["exceedances"] == ((loss > required) & own).sum(axis=0)).all()
        mean = np.where(own, required, 0.0).sum(axis=0) / own.sum(axis=0)
        if not same or not np.allclose(scores["mean_margin"], mean, rtol=1e-6):
            yield f"scores of {model!r} that do not follow from its margins and losses"
