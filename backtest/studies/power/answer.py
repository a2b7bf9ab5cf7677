"""The sentences that the page of `backtest power` opens with, from exact and simulated shares."""

from backtest.present.numbers import percent
from backtest.studies.power.study import LEVEL, POWER, PowerStudy
from backtest.studies.sentences import counted, joined, sentence

OVERLAP, RIGHT = "overlap", "right"


def power_answer(result: PowerStudy) -> tuple[str, ...]:
    """What a record could have shown, which tests reject right models, what is not shown."""
    return (_smallest(result), *filter(None, (_against(result),)), _not_shown(result))


def _smallest(result: PowerStudy) -> str:
    table = result.smallest
    allowed = 1.0 - result.provenance.study["confidence"]
    rates = [
        f"{percent(row['independent days'], digits=2)} in {days:,} days"
        for days, row in table.iterrows()
    ]
    worst = [percent(rate, digits=2) for rate in table["MPOR of 2, at worst"]]
    level, probability = percent(LEVEL, digits=0), percent(POWER, digits=0)
    return sentence(
        f"the smallest true rate of exceedances that a test at {level} shows with probability "
        f"{probability}, in place of {percent(allowed, digits=2)}, is {joined(rates)}, and "
        f"{joined(worst)} if an MPOR of 2 leaves half of the days independent: exceedances "
        "that come together for months show less still, and a run says what its own record shows"
    )


def _against(result: PowerStudy) -> str:
    """Tests that reject right models more often than they promise, where losses overlap or not."""
    table = result.power.reset_index()
    longest = table["days"].max()
    error = 2.0 * 0.5 / result.provenance.study["histories"] ** 0.5  # two standard errors at most
    words = []
    for name, what in ((RIGHT, "on independent days"), (OVERLAP, "with an MPOR of 2")):
        rows = table[(table["days"] == longest) & (table["alternative"] == name)]
        if rows.empty:
            continue
        more = rows[rows["rejected"] > rows["nominal"] + error]
        text = f"{what} {len(more) or 'none'} of {counted(len(rows), 'test')}"
        if len(more):
            worst = more.iloc[int((more["rejected"] - more["nominal"]).argmax())]
            text += (
                f" ({worst['test']} most, {percent(worst['rejected'])} for "
                f"{percent(worst['nominal'])})"
            )
        words.append(text)
    if not words:
        return ""
    return sentence(
        f"of right models, records of {longest:,} days are rejected more often than promised, "
        f"beyond two standard errors of the simulation: {joined(words)}"
    )


def _not_shown(result: PowerStudy) -> str:
    others = [name for name in result.power.index.unique("alternative") if name != RIGHT]
    return sentence(
        "it does not show how real exceedances come: no prices enter, and power is that against "
        f"the {counted(len(others), 'alternative')} tried"
        if others
        else "it does not show power: no alternative was tried, and no prices enter"
    )
