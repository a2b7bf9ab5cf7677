"""The page of a close-out opens with numbers of its own tables."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtest.studies.closeout.answer import closeout_answer
from backtest.studies.closeout.figures import breach_by_coordination, netted
from backtest.studies.closeout.page import closeout_exhibit
from backtest.studies.closeout.study import estimate_closeout
from tests.support.presented import closeout_study


def quiet(what, share):
    pass


@pytest.fixture(scope="module", params=["sample", "real"])
def study(request):
    if request.param == "sample":
        return closeout_study()
    folder = request.getfixturevalue("real_data")
    return estimate_closeout(None, data=str(folder), seed=None, progress=quiet)


def whole(words):
    return 0 if words in ("none", "") else int(words)


def test_coordination_is_told_in_counts_of_the_table(study):
    first, *_ = closeout_answer(study)
    rows = netted(study).dropna(subset=["break_even_low"])
    more = rows[rows["break_even"] > 0]
    found = re.search(r"(\w+) of (\d+) margins? of a pool .*\((\w+) of them beyond", first)
    assert [whole(n) for n in found.groups()] == [
        len(more), len(rows), (rows["break_even_low"] > 0).sum(),
    ]  # fmt: skip
    finite = more["break_even"][np.isfinite(more["break_even"])]
    ends = re.search(r"probability of ([\d.]+)(?: to ([\d.]+))?", first)
    if len(finite):
        low, high = (float(e) for e in (ends[1], ends[2] or ends[1]))
        assert low == pytest.approx(finite.min(), abs=0.0051)
        assert high == pytest.approx(finite.max(), abs=0.0051)
    else:
        assert ends is None
    never = re.search(r"(\d+) falls? short even if closed out as one", first)
    assert (int(never[1]) if never else 0) == np.isinf(rows["break_even"]).sum()
    unbounded = re.search(r"for (\d+) of them the record", first)
    assert (int(unbounded[1]) if unbounded else 0) == (
        np.isinf(more["break_even_high"]) & np.isfinite(more["break_even"])
    ).sum()
    # Models that net nothing are not margins of a pool.
    assert "siloed" not in netted(study).index.get_level_values("model")


def test_the_figures_title_counts_what_the_opening_sentence_counts(study):
    told = re.compile(r"(\w+) of (\d+) margins? of a pool")
    first, caption = closeout_answer(study)[0], breach_by_coordination(study).caption
    assert told.search(caption.title).groups() == told.search(first).groups()
    drawn = breach_by_coordination(study).data["book"].nunique()
    books = study.coordination.index.unique("book")
    said = f"({drawn} of {len(books)} books drawn; title: all)"
    assert caption.measure.endswith(said) == (drawn < len(books))


def test_the_worst_book_is_told_with_its_rates_and_what_it_holds(study):
    _, second, *_ = closeout_answer(study)
    rows = netted(study)
    book, model = rows["any_short"].idxmax()
    row = rows.loc[(book, model)]
    assert f"worst book is {book} (" in second and f"under {model}:" in second
    numbers = re.search(
        r"short on ([\d.]+) % \[([\d.]+), ([\d.]+)\] of days, where separate silos would on "
        r"([\d.]+) %, and its pool is short on ([\d.]+) %",
        second,
    )
    told = [float(n) / 100 for n in numbers.groups()]
    columns = ["any_short", "any_short_low", "any_short_high", "allowed", "pooled_short"]
    np.testing.assert_allclose(told, row[columns].astype(float), atol=5.1e-5)
    positions = study.exposure.loc[book]
    largest = positions.abs().idxmax()
    side = "short" if positions[largest] < 0 else "long"
    share = abs(positions[largest]) / positions.abs().sum()
    told_share = float(re.search(rf"([\d.]+) % {side} {re.escape(largest)}", second)[1]) / 100
    assert told_share == pytest.approx(share, abs=0.0051)
    points = re.search(r"adds at most ([\d.]+) points", second)
    charges = study.steps.query("step == 'MPOR mismatch' and mpor == @study.unequal")
    most = charges["share_of_gross"].max()
    assert (float(points[1]) if points else 0.0) == pytest.approx(100 * max(most, 0.0), abs=0.051)


def test_what_is_not_shown_and_where_the_sentences_stand(study):
    answer = closeout_answer(study)
    assert closeout_exhibit(study).answer == answer and len(answer) == 3
    assert "futures on BTC" in answer[-1] and "loss-sharing" in answer[-1]
    assert ("simulated" in answer[-1]) == study.provenance.prices.simulated


def test_of_silos_that_were_never_short_nothing_is_claimed():
    study = closeout_study()
    ends = [c for c in study.coordination if c.endswith(("_low", "_high"))]
    silent = study.coordination.assign(
        any_short=0.0, pooled_short=0.0, break_even=0.0, **dict.fromkeys(ends, np.nan)
    )
    first, second, _ = closeout_answer(replace(study, coordination=silent))
    assert first == (
        "No silo was ever short under its allocated margin, so coordination is not at stake."
    )
    assert "on 0.00 % of days" in second and "nan" not in second


def test_a_study_of_silos_alone_has_its_sentences_too():
    study = closeout_study()
    only = study.coordination[study.coordination.index.get_level_values("model") == "siloed"]
    alone = replace(study, coordination=only, steps=study.steps.iloc[:0])
    first, second, _ = closeout_answer(alone)
    assert f"of {len(only)} margin" in first and "under siloed" in second
    assert "closing out over" not in second and isinstance(alone.steps, pd.DataFrame)
