"""The sentences that the page of `backtest simulate` opens with, from counted facts."""

import pandas as pd

from backtest.present.numbers import percent
from backtest.studies.sentences import counted, joined, not_shown, sentence
from backtest.studies.simulate.study import CHANCE, ENOUGH, WHOLE, Judged, SimulateStudy
from backtest.studies.simulate.words import (
    farthest,
    simulator_name,
    value_of,
    whole_number,
)


def simulate_answer(study: SimulateStudy) -> tuple[str, ...]:
    """How much is kept, the strongest evidence against it, what is not shown."""
    if len(study.judged) == 1:
        ((kind, judged),) = study.judged.items()
        words = (_kept(study, kind, judged), _against(study, judged))
    else:
        words = (_most_and_fewest(study), _lost_families(study))
    return (*words, _not_shown(study))


def _kept(study: SimulateStudy, kind: str, judged: Judged) -> str:
    row = judged.family(WHOLE)
    lost = row["known"] - row["kept"]
    text = (
        f"of {row['known']:,.0f} facts of {study.days:,} days {simulator_name(kind)} keeps "
        f"{whole_number(row['kept'])} within 5 to 95 % of {study.paths:,} paths and loses "
        f"{whole_number(lost)}"
    )
    if judged.own is None:
        return sentence(f"{text}; how many it would lose where it is right was not asked")
    mean, most = row["known"] - row["own_mean"], row["known"] - row["own_least"]
    if not judged.decided:
        verdict = f"and whether chance explains it takes {ENOUGH} histories to say"
    else:
        verdict = f"{'' if row['p'] <= CHANCE else 'no '}more than chance explains"
    return sentence(
        f"{text}, {verdict}: of the facts of {_histories(judged)} of its own, fitted anew, it "
        f"loses {mean:,.1f} in the mean and {most:,.0f} at most"
    )


def _histories(judged: Judged) -> str:
    count = 0 if judged.own is None else len(judged.own)
    return "1 history" if count == 1 else f"{count:,} histories"


def _against(study: SimulateStudy, judged: Judged) -> str:
    rows = {name: judged.family(name) for name in judged.beyond_chance if name != WHOLE}
    families = [
        f"{name} ({row['known'] - row['kept']:,.0f} of {row['known']:,.0f})"
        for name, row in rows.items()
    ]
    if not judged.decided:
        text = "which families are lost beyond chance is not known"
    elif families:
        text = f"beyond chance, one in twenty for each family, it loses {joined(families)}"
    else:
        text = "no family of facts is lost beyond chance"
    far = farthest(judged.diagnosis.facts, 1)
    if far.empty:
        return sentence(text)
    (row,) = far.to_dict("records")
    data, low, high = (value_of(row, name, study) for name in ("data", "low", "high"))
    return sentence(
        f"{text}; the farthest off is the {row['fact']} of {row['of']}, {data} in the data and "
        f"{low} to {high} in 90 % of the paths"
    )


def _most_and_fewest(study: SimulateStudy) -> str:
    whole = study.families.xs(WHOLE, level="family")
    shares = (whole["kept"] / whole["known"]).sort_values(ascending=False, kind="stable")
    most, fewest = whole.loc[shares.index[0]], whole.loc[shares.index[-1]]
    text = (
        f"of {counted(len(shares), 'simulator')} {_name(shares.index[0])} keeps the largest share "
        f"of the facts of {study.days:,} days within 5 to 95 % of its paths ({_of_known(most)}), "
        f"{_name(shares.index[-1])} the smallest ({_of_known(fewest)})"
    )
    if not study.histories:
        return sentence(f"{text}; how many each would lose where it is right was not asked")
    decided = _decided(study)
    if not decided:
        return sentence(f"{text}; whether chance explains what is lost takes {ENOUGH} histories")
    beyond = int((whole["p"] <= CHANCE).sum())
    of = "them" if len(decided) == len(shares) else f"{len(decided)} of which that can be said"
    return sentence(
        f"{text}; {beyond or 'none'} of {of} lose{'s' if beyond == 1 else ''} more of the data "
        "than of all but 5 % of the histories that they draw themselves"
    )


def _of_known(row: pd.Series) -> str:
    """Counts, no share: one that loses two of 485 would keep 100 %."""
    return f"{row['kept']:,.0f} of {row['known']:,.0f}"


def _decided(study: SimulateStudy) -> list[str]:
    return [kind for kind, judged in study.judged.items() if judged.decided]


def _name(kind: object) -> str:
    return simulator_name(str(kind))


def _lost_families(study: SimulateStudy) -> str:
    table = study.families.drop(index=WHOLE, level="family")
    lost = 1.0 - table["kept"] / table["known"]
    kind, family = lost.index[int(lost.argmax())]
    text = f"the most of one is lost by {_name(kind)}: {percent(lost.max(), digits=0)} of {family}"
    if decided := _decided(study):
        counts = (table["p"] <= CHANCE).groupby(level="family", sort=False).sum()
        counts = counts.sort_values(ascending=False, kind="stable")
        parts = [f"{name} by {count}" for name, count in counts.items() if count]
        beyond = joined(parts) if parts else "no family by any"
        text = f"lost beyond chance are {beyond} of {len(decided)}; {text}"
    return sentence(text)


def _not_shown(study: SimulateStudy) -> str:
    clauses = ["whether the years to come have these facts", "what a lost fact does to a margin"]
    if study.refused:
        clauses.append(
            f"what {joined(map(simulator_name, study.refused))} do, which are not compared"
        )
    return not_shown(clauses, simulated=study.provenance.prices.simulated)
