"""Payments of a day, concentration and posted margin against loops in plain Python."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest.book.book import Book
from backtest.book.liquidation import LiquidationCost
from backtest.clearing import Member, Structure
from backtest.clearing.arrangement import ARRANGEMENTS
from backtest.clearing.ledger import BEARERS
from backtest.replay.protection import protect
from backtest.replay.protection.concentration import concentration
from backtest.replay.protection.liquidity import ALL, day_payments, largest_payer, liquidity
from backtest.replay.protection.posted import Posted, posted_margin
from backtest.scores.money.rare import event_amounts
from backtest.types import StudyError
from strategies import HistoricalVaR
from tests.support.protected import drawn_market, protection


def payments(done, model: str, arrangement: str, *, intraday: bool):
    """(days - 1, firms, houses) for customers and for own accounts; and variation margin."""
    setting, outcome = done.settings[arrangement], done.outcomes[model, arrangement]
    days = len(done.days)
    customers, own, variation = (np.zeros((days - 1, 2, 2)) for _ in range(3))
    members = list(enumerate(done.structure.members))
    for t in range(days - 1):
        for f, firm in enumerate(done.structure.firm_names):
            for h in range(2):
                mine = [a for a, m in members if m.firm == firm and m.kind == "house"]
                lost = sum(done.next_day[t, a, h] for a in mine)
                rise = sum(outcome.required[t + 1, a, h] - outcome.required[t, a, h] for a in mine)
                own[t, f, h] = max(0.0, lost + rise)
                variation[t, f, h] = max(0.0, lost)
                for k in range(len(setting.classes)):
                    theirs = [
                        a for a, m in members
                        if m.firm == firm and m.kind == "customer"
                        and setting.account_class[a, h] == k
                    ]  # fmt: skip
                    lost = sum(done.next_day[t, a, h] for a in theirs)
                    asked = outcome.holdings.required[t : t + 2, f, k, h]
                    rise = asked[1] - asked[0] if intraday else 0.0
                    customers[t, f, h] += max(0.0, lost + rise)
                    variation[t, f, h] += max(0.0, lost)
    return customers, own, variation


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("posts", ["intraday", "as paid"])
def test_payments_are_those_of_loops(arrangement: str, posts: str) -> None:
    done = protection(posts=posts)
    paid = day_payments(done, "var", arrangement)
    wanted = payments(done, "var", arrangement, intraday=posts == "intraday")
    for ours, theirs in zip((paid.customers, paid.own, paid.variation), wanted, strict=True):
        assert theirs.max() > 0.0
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-6)


def test_the_worst_day_is_found_with_its_date() -> None:
    done = protection()
    table = liquidity(done)
    customers, own, variation = payments(done, "var", "silos", intraday=True)
    total = customers + own
    place = {"FICC": 0, "CME": 1}
    assert done.book.silos == tuple(place)
    for house, values in (("CME", total[..., 1]), (ALL, total.sum(axis=2))):
        for name, of_firm in (("A", values[:, 0]), ("B", values[:, 1]), ("", values.sum(axis=1))):
            row = table.loc[("var", "silos", house, name)]
            assert row["usd"] == pytest.approx(of_firm.max(), rel=1e-9)
            assert row["day"] == done.days[of_firm.argmax() + 1]
    payer = largest_payer(done)
    for house, h in place.items():
        t, f = np.unravel_index(variation[..., h].argmax(), variation.shape[:2])
        assert payer.loc[house, "usd"] == pytest.approx(variation[t, f, h], rel=1e-9)
        assert payer.loc[house, "firm"] == "AB"[f] and payer.loc[house, "day"] == done.days[t + 1]


def test_beside_the_worst_day_stand_the_day_in_a_hundred_and_how_often_a_worse_one_may_come() -> (
    None
):
    done = protection()
    customers, own, variation = payments(done, "var", "silos", intraday=True)
    total, days = (customers + own).sum(axis=(1, 2)), len(done.days) - 1
    row = liquidity(done).loc[("var", "silos", ALL, "")]
    largest = sorted(total.tolist(), reverse=True)
    assert row["seldom"] == pytest.approx(largest[days // 100], rel=1e-9)
    # How the largest days cluster, three times as many as may exceed, written out.
    threshold = largest[3 * (days // 100) - 1]
    marks = np.array([float(usd >= threshold * (1 - 1e-12)) for usd in total])
    rate = marks.mean()
    squares = []
    for j in range(1, 13):
        cosine = np.cos(np.pi * j * (np.arange(days) + 0.5) / days)
        squares.append(2.0 / days * (cosine @ marks) ** 2)
    student = (stats.t.ppf(0.975, 12) / stats.norm.ppf(0.975)) ** 2
    inflation = max(1.0, np.mean(squares) / (rate * (1.0 - rate)) * student)
    assert row["worse_days"] == pytest.approx(1.0 - 0.05 ** (inflation / days), rel=1e-9)

    def plausible(count: int) -> bool:
        """Whether so many exceedances in so many days may come of a rate of 1 %."""
        marked, others = count / inflation, (days - count) / inflation
        few = stats.beta.ppf(0.975, marked + 1.0, others) < 0.01
        many = count > 0 and stats.beta.ppf(0.025, marked, others + 1.0) > 0.01
        return not (few or many)

    counts = [count for count in range(30) if plausible(count)]
    assert row["seldom_low"] == pytest.approx(largest[counts[-1]], rel=1e-9)
    payer = largest_payer(done)
    for h, house in enumerate(done.book.silos):
        by_day = sorted(variation[..., h].max(axis=1).tolist(), reverse=True)
        assert payer.loc[house, "seldom"] == pytest.approx(by_day[days // 100], rel=1e-9)
        assert payer.loc[house, "worse_days"] >= 1.0 - 0.05 ** (1.0 / days)


def test_variation_margin_is_of_positions_that_go_on_and_so_without_costs_of_closing_out() -> None:
    market = drawn_market()
    books = [
        Book.from_frame(pd.DataFrame({"BTC": [5e6]}, index=["coin"]), liquidation=costs)
        for costs in (None, LiquidationCost())
    ]
    models, structure = {"var": HistoricalVaR(lookback=60)}, Structure((Member("coin", "A"),))
    free, costly = (protect(market, book, models, structure) for book in books)
    assert (costly.loss > free.loss).all()  # an account that is closed out does pay them
    assert (costly.next_day == free.next_day).all()
    moved = -5e6 * (market.level("BTC")[1:] / market.level("BTC")[:-1] - 1.0)
    assert free.next_day[:, 0, 0] == pytest.approx(moved[free.window.rows])


def test_one_scored_day_has_no_payment_from_one_day_to_the_next() -> None:
    market = drawn_market()
    book = Book.from_frame(pd.DataFrame({"BTC": [5e6]}, index=["coin"]))
    done = protect(
        market, book, {"var": HistoricalVaR(lookback=60)}, Structure((Member("coin", "A"),)),
        score_from=str(market.dates[-3])[:10],
    )  # fmt: skip
    assert len(done.days) == 1
    for table in (liquidity, largest_payer):
        with pytest.raises(StudyError, match="lengthen the history"):
            table(done)


def test_concentration_counts_customers_and_days() -> None:
    done = protection()
    table = concentration(done)
    column = BEARERS.index("fellow customers")
    hit = 0
    for key, outcome in done.outcomes.items():
        row = table.loc[key]
        total = outcome.fellow.sum()
        if total == 0.0:
            assert np.isnan(row["hhi"]) and row["largest"] == "" and row["customers"] == 0
            continue
        hit += 1
        by_day = sorted(sum(day[h][column] for h in range(2)) for day in outcome.paid)
        assert row["largest_share"] == pytest.approx(max(outcome.fellow) / total)
        assert row["hhi"] == pytest.approx(sum((x / total) ** 2 for x in outcome.fellow), rel=1e-9)
        assert row["worst_days_share"] == pytest.approx(sum(by_day[-5:]) / sum(by_day))
        assert row["days"] == sum(x > 0 for x in by_day)
        seen = outcome.base[:, :, column].sum(axis=1)
        assert row["events"] == len(event_amounts(np.where(seen >= 0.01, seen, 0.0)))
        assert row["events"] < 5 and np.isnan(row["largest_share_low"])
        assert outcome.fellow[done.book.portfolios.index(row["largest"])] == max(outcome.fellow)
    assert hit > 0


def test_margin_is_at_the_house_or_at_the_firm() -> None:
    done = protection()
    table = posted_margin(done)
    for key, outcome in done.outcomes.items():
        rows = table.loc[[(*key, house) for house in done.book.silos]]
        assert rows["by_customers"].sum() == pytest.approx(
            outcome.holdings.posted.sum() / len(done.days)
        )
        own = [a for a, m in enumerate(done.structure.members) if m.kind == "house"]
        mean_own = outcome.required[:, own].sum() / len(done.days)
        assert rows["firms_own_accounts"].sum() == pytest.approx(mean_own)
        total = Posted.of(done, *key).total.mean()
        assert total == pytest.approx(rows["by_customers"].sum() + mean_own)
        parts = rows["of_it_at_the_house"] + rows["of_it_at_firms"]
        np.testing.assert_allclose(parts, rows["by_customers"], rtol=1e-12)
        # A house never holds more of customers than it asks for.
        there = rows["of_it_at_the_house"].to_numpy()
        asked = outcome.holdings.required.mean(axis=0).sum(axis=(0, 1))
        assert (there <= asked * (1 + 1e-12)).all()


def test_what_one_customer_posts_beyond_its_margin_margins_nobody_else() -> None:
    """17 CFR 1.22(a), 22.2(d): firm A asks for 1.1 times the margin, and still advances."""
    done = protection()
    silos = done.outcomes["var", "silos"]
    setting = done.settings["silos"]
    required, held = silos.required, silos.accounts.held()
    masked = 0
    for t in range(len(done.days)):
        for f in range(2):
            customers = np.flatnonzero((setting.firm_of == f) & ~setting.is_own)
            for h in range(2):
                lacks = [max(0.0, required[t, a, h] - held[t, a, h]) for a in customers]
                assert silos.holdings.advanced[t, f, h] == pytest.approx(sum(lacks), abs=1e-6)
                together = required[t, customers, h].sum() - held[t, customers, h].sum()
                masked += sum(lacks) > max(0.0, together) + 1.0
    assert masked > 0
    at_house = (silos.holdings.posted * silos.holdings.at_house).sum(axis=2)
    there = at_house + silos.holdings.advanced
    np.testing.assert_allclose(there, silos.holdings.required.sum(axis=2), rtol=1e-9, atol=1e-6)
