"""`run`: the same numbers however it is cut up, one window for all models, honest refusals."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.model.protocol import CausalityError
from backtest.scores.table import SCORES

MODELS = {
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=60)),
    "haircut": st.HaircutOnly(),
    "offset": st.CorrelationOffset(base=st.HistoricalVaR(lookback=60), lookback=60),
    "var": st.HistoricalVaR(lookback=80),
}
COVERAGE = bt.Coverage(confidence=0.95)


@pytest.fixture(scope="module")
def study(small_market, small_book):
    return bt.run(small_market, small_book, MODELS, coverage=COVERAGE, seed=5)


def test_columns_and_shapes(study, small_market, small_book):
    summary = study.summary()
    assert list(summary.columns) == [score.name for score in SCORES]
    assert summary.index.names == ["model", "portfolio"]
    assert len(summary) == 4 * 4
    assert study.required["var"].shape == study.loss.shape == (260, 4)
    assert list(study.loss.columns) == list(small_book.portfolios)
    np.testing.assert_array_equal(study.loss.index.to_numpy().astype("M8[D]"), small_market.dates)


def test_all_models_are_scored_on_the_same_days(study):
    assert set(study.summary()["observations"]) == {260 - 81 - 2}
    assert study.scored[0] == study.loss.index[81] and study.scored[-1] == study.loss.index[-3]
    assert not np.isnan(study.required["siloed"].iloc[61:]).any(axis=None)


def test_exceedances_and_breaches_are_strict_counts(study):
    for model in MODELS:
        scored = study.loss.loc[study.scored]
        rows = study.summary().loc[model]
        exceeded = (scored > study.required[model].loc[study.scored]).sum()
        breached = (scored > study.held[model].loc[study.scored]).sum()
        np.testing.assert_array_equal(rows["exceedances"], exceeded)
        np.testing.assert_array_equal(rows["breaches"], breached)
        assert (rows["breaches"] >= rows["exceedances"]).all()


def test_saving_is_measured_from_siloed(study):
    rows = study.summary()
    means = rows["mean_margin"].unstack("model")  # noqa: PD010
    saving = rows["saving_vs_siloed"].unstack("model")  # noqa: PD010
    np.testing.assert_allclose(saving["var"], 1 - means["var"] / means["siloed"])
    assert (saving["siloed"] == 0).all()


@pytest.mark.parametrize(("block", "n_jobs"), [(1, 1), (3, 1), (2, 2)])
def test_blocks_and_workers_change_no_number(study, small_market, small_book, block, n_jobs):
    other = bt.run(
        small_market, small_book, MODELS, coverage=COVERAGE, seed=5, block=block, n_jobs=n_jobs
    )
    pd.testing.assert_frame_equal(study.summary(), other.summary(), rtol=1e-9)
    pd.testing.assert_frame_equal(study.pooled, other.pooled, rtol=1e-9)


def test_save_and_load_give_the_study_back(study, tmp_path):
    again = bt.Study.load(study.save(tmp_path / "kept"))
    pd.testing.assert_frame_equal(again.summary(), study.summary())
    pd.testing.assert_frame_equal(again.pooled, study.pooled)
    for name in ("required", "held", "call", "shortfall"):
        for model in MODELS:
            pd.testing.assert_frame_equal(
                getattr(again, name)[model],
                getattr(study, name)[model],
                check_freq=False,
                check_index_type=False,
                check_column_type=False,
            )
    assert again.provenance == study.provenance
    tidy = again.to_frame()
    assert len(tidy) == 260 * 4 * 4 and "SIMULATED" in again._repr_html_()


def test_load_refuses_what_is_no_study(tmp_path):
    with pytest.raises(bt.ResultsError, match="holds no finished study"):
        bt.Study.load(tmp_path)


def test_a_lookback_longer_than_the_history_says_which(small_market, small_book):
    with pytest.raises(bt.StudyError, match=r"'long' .*lookback=500.* warms up for 260"):
        bt.run(small_market, small_book, {"long": st.HistoricalVaR()}, coverage=COVERAGE)


def test_a_study_without_models_is_refused(small_market, small_book):
    with pytest.raises(bt.StudyError, match="names no model"):
        bt.run(small_market, small_book, {})


@dataclasses.dataclass(frozen=True)
class Cheat:
    """Requires exactly tomorrow's loss: never exceeded, and never honest."""

    def margin(self, market, book, coverage):
        return np.maximum(np.nan_to_num(book.loss(market, coverage).sum(axis=2)), 0.0)


@dataclasses.dataclass(frozen=True)
class BackFilled:
    """Fills its warm-up with the first margin it knows."""

    def margin(self, market, book, coverage):
        required = st.HistoricalVaR(lookback=60).margin(market, book, coverage)
        return pd.DataFrame(required).bfill().fillna(0.0).to_numpy()


@pytest.mark.parametrize("cheat", [Cheat(), BackFilled()])
def test_the_audit_catches_a_model_that_knows_its_future(small_market, small_book, cheat):
    with pytest.raises(CausalityError, match="is not causal: its margin at"):
        bt.run(small_market, small_book, {"cheat": cheat}, coverage=COVERAGE)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (np.zeros((3, 4)), "of shape"),
        (np.full((260, 4), -1.0), "must be finite and not negative"),
        (np.full((260, 4), np.inf), "must be finite"),
        (np.zeros((260, 4), np.float32), "float32"),
    ],
)
def test_a_model_that_breaks_its_contract_is_named(small_market, small_book, returned, said):
    @dataclasses.dataclass(frozen=True)
    class Broken:
        def margin(self, market, book, coverage):
            return returned[: len(market.dates)]

    with pytest.raises(bt.StudyError, match=said):
        bt.run(small_market, small_book, {"broken": Broken()}, coverage=COVERAGE)


def test_an_error_inside_a_model_carries_its_place(small_market, small_book):
    class Failing:
        def margin(self, market, book, coverage):
            raise RuntimeError("no quote")

    with pytest.raises(RuntimeError, match="no quote") as caught:
        bt.run(small_market, small_book, {"mine": Failing()}, coverage=COVERAGE, audit=False)
    assert any("model 'mine'" in note for note in caught.value.__notes__)


def test_the_provenance_says_where_the_numbers_come_from(study, small_market):
    origin = study.provenance
    assert origin.prices.simulated and origin.prices.days == 260
    assert len(origin.prices.levels_sha256) == 64
    assert origin.models["var"] == repr(MODELS["var"])
    assert set(origin.causality) == set(MODELS)
    assert origin.held_to.mpor == {"FICC": 2, "CME": 2}


def test_longer_lags_hold_less_when_margins_rise(small_market, small_book):
    def held(terms):
        study = bt.run(
            small_market,
            small_book,
            {"var": MODELS["var"]},
            coverage=COVERAGE,
            account=terms,
            audit=False,
        )
        return study.held["var"].iloc[81:].to_numpy(), study.required["var"].iloc[81:].to_numpy()

    at_once, required = held(bt.AccountTerms(call_lag=0))
    np.testing.assert_allclose(at_once, required)
    later, _ = held(bt.AccountTerms(call_lag=3))
    assert (later <= required * (1 + 1e-12)).all() and (later < required).any()
    kept, _ = held(bt.AccountTerms(excess="kept"))
    assert (kept >= held(bt.AccountTerms())[0] * (1 - 1e-12)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"call_lag": -1},
        {"call_lag": 1.5},
        {"minimum_transfer": -1.0},
        {"collateral": "gold"},
        {"excess": "burnt"},
    ],
)
def test_impossible_terms_are_refused(wrong):
    with pytest.raises(bt.StudyError):
        bt.AccountTerms(**wrong)
