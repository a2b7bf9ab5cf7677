"""Tests of the forecasts behind margins: VaR, expected shortfall and density."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from backtest.book.book import Book
from backtest.book.coverage import Coverage
from backtest.market.market import Market
from backtest.model.asking import answer_of, asked
from backtest.model.protocol import Forecast, HasForecast, MarginModel, in_words
from backtest.scores.exceedances.phases import cauchy_combination
from backtest.scores.forecasts.density import berkowitz, berkowitz_tail, pit_histogram
from backtest.scores.forecasts.expected_shortfall import mcneil_frey
from backtest.scores.forecasts.losses import fz0_loss
from backtest.scores.forecasts.signs import sign_fault
from backtest.types import (
    DaysByPortfolios,
    FloatArray,
    Progress,
    StudyError,
    counted,
    unheard,
)

FIELDS = ("value_at_risk", "expected_shortfall", "pit")
BINS = 10  # of the PIT histogram: with a few hundred days a phase, some fifty a bin
# Beyond some eight deviations a normal probability rounds to 1, whose normal score is infinite: one
# such day would leave Berkowitz's test without a number.
LEAST_PIT = 2.0**-53


def model_forecasts(
    models: Mapping[str, MarginModel],
    market: Market,
    book: Book,
    *,
    coverage: Coverage,
    progress: Progress = unheard,
) -> pd.DataFrame:
    """VaR, ES and PIT of every model that forecasts; one row a (date, model, portfolio).

    Returns
    -------
    Columns date, model, portfolio, value_at_risk, expected_shortfall (USD, loss > 0, before any
    floor), pit (NaN without a density), loss. Row t is what was forecast at the close of t, and
    the loss over t -> t + MPOR; NaN is 'not yet known'.

    Raises
    ------
    StudyError : a forecast of another shape, or a pit outside [0, 1].
    """
    loss = book.loss(market, coverage).sum(axis=2)
    days, books = loss.shape
    tables = []
    for name, model in counted(progress, "forecasts", models.items(), len(models)):
        if not isinstance(model, HasForecast):
            continue
        with asked(model):
            forecast = answer_of(model, "forecast", market, book, coverage)
            arrays = _checked(model, forecast, loss.shape)
        tables.append(
            pd.DataFrame(
                {
                    "date": np.repeat(market.dates, books),
                    "model": name,
                    "portfolio": np.tile(np.array(book.portfolios, dtype=object), days),
                    **{field: values.ravel() for field, values in zip(FIELDS, arrays, strict=True)},
                    "loss": loss.ravel(),
                }
            )
        )
    columns = ["date", "model", "portfolio", *FIELDS, "loss"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def forecast_table(
    forecasts: pd.DataFrame, *, confidence: float, horizon: int
) -> pd.DataFrame | None:
    """Tests of `model_forecasts` on its days, one row a (model, portfolio).

    All tests take days as independent, so they run on every `horizon`-th day, once from each
    starting day; the p-values of those phases are combined by `cauchy_combination`. What cannot be
    tested is NaN: the density of a model without one, the expected shortfall beyond fewer than two
    exceedances a phase.

    Parameters
    ----------
    forecasts : of scored days only. horizon : rows that a loss spans.

    Returns
    -------
    Index (model, portfolio). `phases`, how many and how combined; `observations`; `exceedances` of
    the VaR; `fz0`, mean Fissler-Ziegel loss of VaR and ES together, lower is better within a
    portfolio; `shortfall_p`, one-sided, of McNeil and Frey: losses beyond the VaR are larger than
    the ES; `berkowitz_p` of the whole density and its clustering, `berkowitz_tail_p` of its worst
    5 %, `histogram_p` of its PIT in ten bins. None where no model forecasts.
    """
    if forecasts.empty:
        return None
    rows = {}
    for key, group in forecasts.groupby(["model", "portfolio"], sort=False):
        value, shortfall, pit, loss = (
            group[column].to_numpy(dtype=np.float64) for column in (*FIELDS, "loss")
        )
        row = dict.fromkeys(
            ("fz0", "shortfall_p", "berkowitz_p", "berkowitz_tail_p", "histogram_p"), np.nan
        )
        # A book that gains in most scenarios has no tail loss, and its tail is not tested.
        if (shortfall > 0.0).all() and sign_fault(value, shortfall) is None:
            row["fz0"] = float(fz0_loss(loss, value, shortfall, confidence=confidence).mean())
            row["shortfall_p"] = _over_phases(_shortfall_p, loss, value, shortfall, horizon=horizon)
        if not np.isnan(pit).any():
            inside = np.clip(pit, LEAST_PIT, 1.0 - LEAST_PIT)
            tests: dict[str, Callable[[FloatArray], float]] = {
                "berkowitz_p": lambda u: berkowitz(u).pvalue,
                "berkowitz_tail_p": lambda u: berkowitz_tail(u).pvalue,
                "histogram_p": lambda u: pit_histogram(u, bins=BINS).pvalue,
            }
            row |= {name: _over_phases(t, inside, horizon=horizon) for name, t in tests.items()}
        counts = {
            "phases": f"Cauchy combination of {horizon}" if horizon > 1 else "one",
            "observations": len(loss),
            "exceedances": int((loss > value).sum()),
        }
        rows[key] = counts | row
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["model", "portfolio"])
    return table


def _shortfall_p(loss: FloatArray, value: FloatArray, shortfall: FloatArray) -> float:
    return mcneil_frey(loss, value, shortfall, scale=shortfall).pvalue


def _over_phases(test: Callable[..., float], *series: FloatArray, horizon: int) -> float:
    """Cauchy combination of the p-values of the phases that identify it; NaN where none does."""
    phases = (slice(start, None, horizon) for start in range(min(horizon, len(series[0]))))
    return cauchy_combination([test(*(values[phase] for values in series)) for phase in phases])


def _checked(
    model: MarginModel, forecast: Forecast, shape: tuple[int, ...]
) -> tuple[DaysByPortfolios, ...]:
    """VaR, ES and PIT (NaN where there is none), each (days, portfolios)."""
    absent = np.full(shape, np.nan)
    out = []
    for field in FIELDS:
        stated = getattr(forecast, field)
        values = absent if stated is None else np.asarray(stated, dtype=np.float64)
        if values.shape != shape:
            raise StudyError(
                f"{in_words(model)} forecasts a {field} of shape {values.shape}; give {shape}, "
                "(days, portfolios)."
            )
        out.append(values)
    if (out[2] < 0.0).any() or (out[2] > 1.0).any():
        wrong = out[2][(out[2] < 0.0) | (out[2] > 1.0)][0]
        raise StudyError(f"{in_words(model)} forecasts a pit of {wrong:g}; it is a probability.")
    return tuple(out)
