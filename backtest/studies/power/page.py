"""The page of `backtest power`: how often each test rejects, and what no test could show."""

import json

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.present.numbers import percent
from backtest.studies.power.answer import power_answer
from backtest.studies.power.figures import power_of_tests
from backtest.studies.power.study import LEVEL, POWER, PowerStudy

WORDS = {
    "right": "right rate (size)",
    "x1.5": "rate x 1.5",
    "x2": "rate x 2",
    "x3": "rate x 3",
    "clustered": "right rate, clustered",
    "overlap": "right rate, MPOR of 2",
    "overlap-x2": "rate x 2, MPOR of 2",
}
CAPTION = (
    "The right rate on independent days shows a test's size, to be read beside its nominal one; "
    "'clustered' exceedances come at the right rate on average, six times as often on a tenth of "
    "the days, in spells of 20 days; an MPOR of 2 makes losses overlap though every requirement is "
    "right. All tests run on all days: those that take days as independent reject overlap itself, "
    "which is why a study runs them on every H-th day. A test that is not identified does not "
    "reject. No prices enter."
)


def power_exhibit(result: PowerStudy) -> Exhibit:
    """Everything `backtest power` shows."""
    study = result.provenance.study
    note = (
        f"{100 * study['confidence']:g} % coverage; {study['histories']:,} records an alternative, "
        f"seed {study['seed']}; standard error at most "
        f"{percent(0.5 / study['histories'] ** 0.5)}, 0 where exact."
    )
    return Exhibit(
        kind="power",
        title="What tests of coverage can and cannot see",
        answer=power_answer(result),
        caption=CAPTION,
        simulated=False,
        source_line=note,
        sections=(
            *_sections(result.power, note),
            _smallest(result.smallest, study["confidence"]),
        ),
        provenance=result.provenance,
        # TOML writes these text, numbers and lists as JSON does.
        text="".join(f"{key} = {json.dumps(value)}\n" for key, value in study.items()),
    )


def _sections(table: pd.DataFrame, note: str) -> tuple[Section, ...]:
    """The figure of all lengths, then a table for each length."""
    alternatives = list(table.index.unique("alternative"))
    whole = Section(
        name="power",
        heading="Records rejected",
        text=(
            "Share of records that each test rejects; the upright stroke is its nominal size. "
            "'Binomial, one-sided' and the zones are one-sided, as is coverage_p; Kupiec, "
            "'Christoffersen conditional', the dynamic quantile and GMM reject too few exceedances "
            "as well; 'Christoffersen independence' and Weibull look at the order of days alone."
        ),
        figure=power_of_tests(table, labels=WORDS, footnote=note),
    )
    sections = [whole]
    for days in table.index.unique("days"):
        rows = table.loc[[days]].droplevel("days")
        columns = {"nominal": rows.xs("right", level="alternative")["nominal"]} | {
            WORDS[name]: rows.xs(name, level="alternative")["rejected"] for name in alternatives
        }
        sections.append(
            Section(
                name=f"power_{days}",
                heading=f"{days:,} days",
                text="Share of records rejected.",
                table=pd.DataFrame(columns),
                formats=dict.fromkeys(columns, ".1%") | {"nominal": ".2%"},
            )
        )
    return tuple(sections)


def _smallest(table: pd.DataFrame, confidence: float) -> Section:
    """The smallest true rate that a record of each length would have shown."""
    return Section(
        name="smallest_detectable",
        heading="The smallest miscoverage a record could have shown",
        text=(
            f"True rate at which the exact one-sided binomial test at {LEVEL:.0%} rejects with "
            f"probability {POWER:.0%}: on independent days, and on the half of them that an MPOR "
            "of 2 leaves independent; exceedances that come together for months leave fewer. "
            "'Rejected from' is the count it takes."
        ),
        table=table,
        formats={"independent days": ".2%", "MPOR of 2, at worst": ".2%"},
        source_line=f"{100 * confidence:g} % coverage; exact, no record is drawn.",
    )
