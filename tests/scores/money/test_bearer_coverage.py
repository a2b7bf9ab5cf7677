"""Coverage of what stands beside liquidity, shares, a loss at once and fire sales; another seed.

Some cells of docs/intervals.md. Records of one path at several margins are not independent.
"""

import numpy as np
import pytest

from backtest.scores.money.rare_share import rare_share
from tests.tools.bearer_study import books_of, borne, worst_days


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "margin", "short", "long"),
    [  # of worst days and of the least of days in a hundred, in three and in nine years
        ("independent t4", "constant", (0.96, 0.99), (0.97, 0.99)),
        ("GARCH .99", "EWMA .97", (0.88, 0.97), (0.94, 0.98)),
        ("GARCH .998", "constant", (0.75, 0.90), (0.90, 0.95)),
        ("regimes", "500 days", (0.71, 0.95), (0.94, 0.99)),
        ("log volatility", "constant", (0.90, 0.93), (1.00, 0.98)),
    ],
)
def test_the_worst_day_and_the_day_in_a_hundred(world, margin, short, long):
    for found, page in zip(worst_days(world, margin, 300, 31), (short, long), strict=True):
        assert (found.said, found.least) == pytest.approx(page, abs=0.08)
        assert found.said > found.wilks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "margin", "share", "given", "added"),
    [
        ("independent t4", "EWMA .97", 1.00, 0.99, 0.99),
        ("GARCH .99", "constant", 0.99, 0.96, 0.91),
        ("GARCH .998", "500 days", 0.99, 0.98, 0.96),
        ("regimes", "constant", 1.00, 1.00, 0.99),
        ("jumps", "EWMA .97", 1.00, 0.94, 0.98),
    ],
)
def test_shares_losses_at_once_and_fire_sales(world, margin, share, given, added):
    found = borne(world, margin, 150, 31)
    assert (found.share, found.given, found.added) == pytest.approx((share, given, added), abs=0.06)


def test_the_fresh_worlds_are_what_they_say():
    for world, largest in (("regimes", 3.0), ("log volatility", None), ("jumps", 6.0)):
        pnl = np.stack(books_of(world, 4000, 20, 2, 5))
        shared = np.corrcoef(pnl.reshape(2, -1))[0, 1]
        assert shared == pytest.approx(0.5, abs=0.05)  # half of their news
        size = np.log(np.abs(pnl[0]))
        clusters = np.corrcoef(size[:-5].ravel(), size[5:].ravel())[0, 1]
        assert (abs(clusters) < 0.02) == (world == "jumps")
        if largest is not None:
            # Two normal laws, of which the second has this many times the volatility.
            kurtosis = (pnl**4).mean() / (pnl**2).mean() ** 2
            weight = 0.005 if world == "jumps" else 60.0 / 560.0
            fourth, second = ((1.0 - weight) + weight * largest**k for k in (4, 2))
            assert kurtosis == pytest.approx(3.0 * fourth / second**2, rel=0.1)


@pytest.mark.parametrize("parties", [10, 1000])
@pytest.mark.parametrize("tail", [2.5, 1.5])
def test_a_party_that_the_record_names_is_held_though_all_are_equal(parties, tail):
    # Each event takes from one of them: the largest share seen is far above the truth.
    rng, held, seen = np.random.default_rng(7), [], []
    for number in range(400):
        events = 1.0 + rng.pareto(tail, max(5, rng.poisson((8.0, 40.0)[number % 2])))
        days = np.zeros(50 * len(events))
        days[::50] = events
        taken = np.bincount(rng.integers(parties, size=len(events)), weights=events)
        found = rare_share(taken.max() / events.sum(), days)
        held.append(found.low <= 1.0 / parties <= found.high)
        seen.append(found.mean * parties)
    assert np.mean(held) > 0.96 and np.mean(seen) > 2.0
