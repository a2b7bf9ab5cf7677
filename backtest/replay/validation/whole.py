"""Accounts as a whole: one loss whatever margins it, and silos added up day by day."""

import numpy as np

from backtest.replay.validation.cells import Cells
from backtest.replay.validation.layout import FORECASTS, some
from backtest.replay.validation.reading import Rows
from backtest.types import DataError, DaysByPortfolios

SILOED = "siloed"  # name of the sum of the silos' margins beside a joint margin
CLOSE = 1e-6  # share of the largest number within which two losses of one day are the same

Silos = dict[str, tuple[DaysByPortfolios, DaysByPortfolios]]  # loss and margin of each


def joined(
    cells: Cells, rows: Rows, accounts: tuple[str, ...]
) -> tuple[DaysByPortfolios, dict[str, DaysByPortfolios], Silos]:
    """Loss, margins by model, and loss and margin by silo, of the accounts as a whole."""
    models = list(dict.fromkeys(model for _, model, _ in cells))
    names = [silo for silo in dict.fromkeys(silo for _, _, silo in cells) if silo]
    if not names:
        loss = cells["loss", models[0], ""]
        for model in models[1:]:
            loss = _same_loss(loss, cells["loss", model, ""], f"model {model!r}", rows, accounts)
        return loss, {model: cells["required", model, ""] for model in models}, {}
    if len(models) > 1:
        raise DataError(
            f"{rows.where} has silos and {len(models)} models ({some(models)}); validate one "
            "model at a time where there are silos."
        )
    house = models[0]
    silos = {silo: (cells["loss", house, silo], cells["required", house, silo]) for silo in names}
    _refuse_uneven(silos, rows, accounts)
    summed, apart = (_sum([pair[i] for pair in silos.values()]) for i in (0, 1))
    if ("loss", house, "") not in cells:
        return summed, {house: apart}, silos
    whole, joint = cells["loss", house, ""], cells["required", house, ""]
    single = np.isnan(summed).all(axis=0)  # accounts without silos are their own sum
    summed[:, single], apart[:, single] = whole[:, single], joint[:, single]
    if np.isnan(joint).all(axis=0).any():
        lacking = np.array(accounts)[np.isnan(joint).all(axis=0)]
        raise DataError(
            f"{rows.where} has rows without a silo (the joint margin) for some accounts and not "
            f"for {len(lacking):,} ({some(lacking)}); give them for all or for none."
        )
    loss = _same_loss(whole, summed, "the sum of the silos", rows, accounts)
    return loss, {SILOED: apart, house: joint}, silos


def _refuse_uneven(
    silos: Silos,
    rows: Rows,
    accounts: tuple[str, ...],
) -> None:
    """DataError where one silo of an account has a row on a day and another has none."""
    there = {s: ~(np.isnan(loss) & np.isnan(margin)) for s, (loss, margin) in silos.items()}
    some = np.logical_or.reduce(list(there.values()))
    for silo, present in there.items():
        lacking = some & ~present & present.any(axis=0)
        if lacking.any():
            day, account = np.argwhere(lacking)[0]
            raise DataError(
                f"{rows.where} has no row of silo {silo!r} for {accounts[account]!r} on "
                f"{rows.dates[day]}, and one of another silo ({int(lacking.sum()):,} such cells); "
                "complete those rows: silos are added up day by day."
            )


def beside(
    cells: Cells, rows: Rows
) -> tuple[dict[str, DaysByPortfolios], dict[tuple[str, str], DaysByPortfolios]]:
    """Collateral held by model, and forecasts by quantity and model, of the accounts as a whole."""
    held: dict[str, DaysByPortfolios] = {}
    forecasts: dict[tuple[str, str], DaysByPortfolios] = {}
    for (quantity, model, silo), values in cells.items():
        if quantity not in ("held", *FORECASTS) or np.isnan(values).all():
            continue
        if not silo:
            held |= {model: values} if quantity == "held" else {}
            forecasts |= {(quantity, model): values} if quantity != "held" else {}
        elif ("loss", model, "") in cells or quantity != "held":
            raise DataError(
                f"{rows.where} has {quantity} in rows of silo {silo!r}; give it in rows without a "
                "silo, which are of the account as a whole."
            )
        else:
            apart = [v for (q, m, s), v in cells.items() if (q, m) == ("held", model) and s]
            held[model] = _sum(apart)
    return held, forecasts


def _sum(parts: list[DaysByPortfolios]) -> DaysByPortfolios:
    """Sum over the silos of each account; NaN on a day on which one of them has no number."""
    total = np.zeros(parts[0].shape)
    held = np.zeros(parts[0].shape[1], dtype=np.bool_)
    for part in parts:
        inside = ~np.isnan(part).all(axis=0)
        total[:, inside] += part[:, inside]
        held |= inside
    total[:, ~held] = np.nan
    return total


def _same_loss(
    loss: DaysByPortfolios,
    other: DaysByPortfolios,
    what: str,
    rows: Rows,
    accounts: tuple[str, ...],
) -> DaysByPortfolios:
    """The loss, completed where only the other has one; DataError where they differ."""
    differ = np.abs(loss - other) > CLOSE * max(1.0, float(np.nanmax(np.abs(loss), initial=0.0)))
    if differ.any():
        day, account = np.argwhere(differ)[0]
        raise DataError(
            f"{rows.where} has two losses for {accounts[account]!r} on {rows.dates[day]}: "
            f"{loss[day, account]:g}, and {other[day, account]:g} by {what} "
            f"({int(differ.sum()):,} such cells); an account has one loss a date, whatever margins "
            "it."
        )
    return np.where(np.isnan(loss), other, loss)
