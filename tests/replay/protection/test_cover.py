"""Cover-1 and cover-2 against loops in plain Python."""

import numpy as np
import pandas as pd
import pytest

from backtest.clearing.arrangement import ARRANGEMENTS
from backtest.replay.protection.cover import cover, firm_needs
from tests.support.protected import ACCOUNTS, protection


def by_hand(done, model: str, arrangement: str, *, joint: bool) -> np.ndarray:
    """(days, firms, houses): every account and every net position in turn."""
    one, setting = ARRANGEMENTS[arrangement], done.settings[arrangement]
    outcome, silos = done.outcomes[model, arrangement], done.book.silos
    days = len(done.days)
    needs = np.zeros((days, 2, 2))
    groups = setting.net_groups()
    for t in range(days):
        for f, firm in enumerate(done.structure.firm_names):
            customers, own, surplus = np.zeros(2), np.zeros(2), np.zeros(2)
            seen = set()
            for a, member in enumerate(done.structure.members):
                if member.firm != firm or a in seen:
                    continue
                group = next((rows for rows in groups.values() if a in rows), [a])
                seen |= set(group)
                loss = [sum(done.loss[t, i, h] for i in group) for h in range(2)]
                held = [sum(outcome.collateral[t, i, h] for i in group) for h in range(2)]
                asked = [outcome.required[t, a, h] for h in range(2)]
                if len(group) > 1:
                    k = setting.account_class[a]
                    held = [held[h] * outcome.holdings.at_house[t, f, k[h], h] for h in range(2)]
                    name = next(n for n, rows in groups.items() if a in rows)
                    net = done.margined.nets(model, setting)[done.window.rows]
                    asked = net[t, list(groups).index(name)]
                is_own = member.kind == "house"
                pooled = one.pooled == "everybody" or (one.pooled == "house" and is_own)
                pooled &= len({i[:3] for i in ACCOUNTS[member.account]}) > 1  # UST and BTC
                nets = pooled and (joint or (one.commingled and not is_own))
                x = [loss[h] - held[h] for h in range(2)]
                for h in range(2):
                    if nets:
                        part = asked[h] / sum(asked) if sum(asked) else 0.5
                        lack = max(0.0, sum(x)) * part
                        left = max(0.0, -sum(x)) * (held[h] / sum(held) if sum(held) else 0.5)
                    else:
                        lack, left = max(0.0, x[h]), max(0.0, -x[h])
                    if is_own:
                        own[h] += lack
                        surplus[h] += left
                    else:
                        customers[h] += lack
            for h in range(len(silos)):
                rest = max(0.0, customers[h] - outcome.holdings.advanced[t, f, h])
                needs[t, f, h] = max(0.0, rest - surplus[h]) + own[h]
    return needs


@pytest.mark.parametrize(
    "arrangement",
    [pytest.param(a, marks=() if "commingled" in a else pytest.mark.slow) for a in ARRANGEMENTS],
)
def test_needs_are_those_of_loops(arrangement: str) -> None:
    done = protection(0.75)
    needs = firm_needs(done, "var", arrangement)
    assert needs.weight.tolist() == [0.75, 0.25]
    for place, joint in enumerate((True, False)):
        wanted = by_hand(done, "var", arrangement, joint=joint)
        assert wanted.max() > 0.0
        np.testing.assert_allclose(needs.usd[place], wanted, rtol=1e-9, atol=1e-6)


def test_sizes_are_order_statistics_of_days() -> None:
    done = protection()
    table = cover(done, confidence=0.99, windows={"spring": ("2020-03-01", "2020-05-31")})
    for model, arrangement in done.outcomes:
        if model != "var":  # loops in Python over another model tell nothing new
            continue
        needs = by_hand(done, model, arrangement, joint=True)
        for place, house in enumerate(done.book.silos):
            for count in (1, 2):
                values = np.sort(needs[..., place], axis=1)[:, ::-1][:, :count].sum(axis=1)
                row = table.loc[(model, arrangement, house, count)]
                allowed = int(len(values) * 0.01)
                assert row["size"] == pytest.approx(np.sort(values)[::-1][allowed], rel=1e-9)
                assert row["largest"] == pytest.approx(values.max(), rel=1e-9)
                if values.max() > 0.0:
                    assert row["day"] == done.days[int(values.argmax())]
                days = (done.days >= "2020-03-01") & (done.days <= "2020-05-31")
                assert days.any()
                assert row["spring"] == pytest.approx(values[days].max(), rel=1e-9)
                assert row["low"] <= row["size"] <= row["largest"]
    assert (table["effective_days"] <= len(done.days)).all() and "high" not in table


def test_cover_of_two_is_cover_of_both_firms() -> None:
    table = cover(protection())["largest"].unstack("cover")  # noqa: PD010
    assert (table[2] >= table[1]).all() and (table[2] > table[1]).any()
    low = cover(protection(), confidence=0.99)["low"].unstack("cover")  # noqa: PD010
    assert (low[2] >= low[1]).all() and (low[2] > low[1]).any()


def test_omnibus_nets_what_gross_does_not() -> None:
    """A net position cannot lack more than its accounts where it holds as much per unit of risk."""
    table = cover(protection(), confidence=0.99)["largest"]
    rows = table.xs("FICC", level="house").xs(1, level="cover")
    # Omnibus houses hold less: the fund is asked for more.
    for how in ("segregated", "commingled"):
        assert not np.isclose(
            rows["var", f"customers gross, {how}"], rows["var", f"customers omnibus, {how}"]
        )


def test_stress_windows_outside_the_record_are_not_numbers() -> None:
    table = cover(protection(), windows={"before": ("1999-01-01", "1999-12-31")})
    assert table["before"].isna().all()
    assert isinstance(table["day"].iloc[0], pd.Timestamp)
