"""The template of a score, against plain loops."""

import numpy as np
import pytest

from backtest.scores import score_table
from backtest.scores.money.my_score import my_score


# GAP 5: the score in another way; and its edges: no exceedance, only exceedances
def test_it_is_the_sum_over_days():
    rng = np.random.default_rng(0)
    loss, required = rng.standard_t(4, (200, 3)), 2.0 + rng.random((200, 3))
    for p, value in enumerate(my_score(loss, required)):
        days = zip(loss[:, p], required[:, p], strict=True)
        unused = [max(margin - max(lost, 0.0), 0.0) for lost, margin in days]
        assert value == pytest.approx(sum(unused) / 200)
    assert my_score(np.full((5, 1), 9.0), np.full((5, 1), 2.0)).tolist() == [0.0]


def test_it_is_a_column_of_every_study():
    loss, required = np.arange(200.0).reshape(200, 1), np.full((200, 1), 196.0)
    table = score_table(loss, required, required, horizon=2)
    assert table["my_score"].tolist() == my_score(loss, required).tolist()
