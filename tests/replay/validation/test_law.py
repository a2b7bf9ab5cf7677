"""The law: margins and losses of a study, handed to `validate`, get the study's own scores."""

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.replay.findings import Findings
from backtest.replay.study import Study

FRAME = pd.DataFrame(
    {"UST10Y": [1e8, -5e7, 0.0, 2e7], "BTC": [5e6, 5e6, 1e6, -4e6], "ETH": [0.0, 0.0, 1e6, 4e6]},
    index=["long both", "basis", "coins", "pair"],
)
MODELS = {
    "siloed": st.Siloed(base=st.HistoricalVaR(lookback=250)),
    "var": st.HistoricalVaR(lookback=300),  # warms up longer: both are scored from its first day
}


@pytest.fixture(scope="module")
def ran():
    market = bt.load_market("sample", end="2019-12-31")
    return bt.run(market, bt.Book.from_frame(FRAME, market), MODELS, audit=False)


@pytest.fixture(scope="module")
def validated(ran):
    return bt.validate(exported(ran))


def exported(study: Study) -> pd.DataFrame:
    """What a house would hand over: loss and margin a day, account and model."""
    table = study.to_frame()[["date", "portfolio", "model", "loss", "required"]]
    return table.rename(columns={"portfolio": "account"})


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9, atol=1e-12)


def test_a_study_and_its_exported_margins_have_the_same_scores(ran, validated):
    same(validated.summary(), ran.summary())
    same(validated.pooled, ran.pooled)
    same(validated.tests(), ran.tests())
    for name in ("held", "call", "shortfall"):
        for model in ran.models:
            same(getattr(validated, name)[model], getattr(ran, name)[model])
    assert (validated.scored == ran.scored).all() and validated.overlap == ran.overlap


def test_what_follows_from_a_study_follows_from_its_exported_margins_too(ran, validated):
    one, other = Findings.of(ran).by_file(), Findings.of(validated).by_file()
    shared = set(one) - {"disclosures"}  # which names the class of each model
    assert {"tests", "family", "money"} <= shared <= set(other)
    for name in shared:
        same(other[name], one[name])


def test_a_wide_table_and_files_give_the_same_study(ran, tmp_path):
    """Long and wide, frame, CSV and parquet, gains and losses: one study."""
    long = exported(ran).query("model == 'var'").drop(columns="model")
    names = list(FRAME.index)
    gains = {("pnl", name): -ran.loss[name] for name in names}
    wide = pd.DataFrame(gains | {("required", n): ran.required["var"][n] for n in names})
    wide.index.name = "date"
    flat = wide.set_axis([":".join(head) for head in wide.columns], axis=1)
    long.to_csv(tmp_path / "long.csv", index=False)
    flat.to_csv(tmp_path / "wide.csv")
    long.to_parquet(tmp_path / "long.parquet", index=False)
    flat.reset_index().to_parquet(tmp_path / "wide.parquet", index=False)
    expected = bt.validate(long).summary()
    for table in (wide, *(tmp_path / f"{n}" for n in ("long.csv", "wide.csv", "long.parquet"))):
        same(bt.validate(table).summary(), expected)
    same(bt.validate(tmp_path / "wide.parquet").summary(), expected)


def test_daily_gains_are_summed_to_the_loss_over_the_mpor():
    rng, days = np.random.default_rng(5), pd.bdate_range("2022-01-03", periods=200)
    pnl, margin = rng.normal(size=200), rng.uniform(2.0, 3.0, 200)
    frame = pd.DataFrame({"date": days, "account": "A", "pnl": pnl, "required": margin})
    study = bt.validate(frame, coverage=bt.Coverage(mpor=3), pnl="daily")
    by_hand = [-(pnl[t + 1] + pnl[t + 2] + pnl[t + 3]) for t in range(197)]
    np.testing.assert_allclose(study.loss["A"].to_numpy()[:197], by_hand, rtol=1e-12)
    assert study.loss["A"].isna().sum() == 3 and len(study.scored) == 197
    assert "summed to the overlapping loss of the next 3 days" in study.provenance.sentence()


def test_a_saved_study_is_read_back(validated, tmp_path):
    back = Study.load(validated.save(tmp_path / "folder"))
    same(back.summary(), validated.summary())
    assert back.provenance.given == validated.provenance.given
    assert not back.simulated and "not audited" in back.provenance.certificate()
    assert "<table" in back._repr_html_() and "Study 2 models" in repr(back)
