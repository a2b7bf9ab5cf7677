"""What the page of a run opens with: every number of it is that of the tables."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import backtest as bt
import strategies as st
from backtest.config.load import read_study
from backtest.present.numbers import millions
from backtest.replay.findings import Findings
from backtest.replay.worst import worst_rows
from backtest.studies.run.answer import against_sentence, run_answer
from backtest.studies.run.findings_tables import swings_table
from backtest.studies.run.page import run_exhibit
from backtest.studies.run.study import Run, execute
from backtest.studies.run.tables import pooled_table
from backtest.studies.run.verdict import cost_words, verdicts, with_holding
from backtest.types import StudyError
from tests.support import presented
from tests.support.commands import quiet

NUMBER = r"[+-]?\d+(?:\.\d+)?"
FIRST, SECOND = list(presented.BOOKS)[:2]  # pools of Bitcoin and a Treasury
VENUES = "$a$ & 'b' \"c\""  # a Treasury at one house against one at another


def run_of(study: bt.Study, ladder: pd.DataFrame, *headline: str) -> Run:
    run = presented.finished(study, ladder)
    return replace(run, config=run.config.model_copy(update={"headline": headline}))


def ladder_of(total: float, total_bound: float, offset: float, bound: float) -> pd.DataFrame:
    """The ladder, the three pools with these shares."""
    values = {"total": total, "total_bound": total_bound, "dependence": offset}
    values |= {"dependence_bound": bound, "diversification": total - offset}
    return presented.ladder().assign(**values)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(NUMBER, text)]


@pytest.fixture(scope="module")
def opening() -> tuple[str, ...]:
    return run_answer(run_of(presented.study(), presented.ladder()))


def test_estimates_and_bounds_are_those_of_the_ladder(opening: tuple[str, ...]) -> None:
    pools = presented.ladder().loc[[FIRST, SECOND]]
    shares = opening[0].split("of the silos' margins, ")[1]
    reduction, offset = shares.split(", and the offset")
    estimates, *bounds = re.findall(rf"({NUMBER}) to ({NUMBER}) %", reduction)
    assert [float(x) for x in estimates] == pytest.approx(
        [100 * pools["total"].min(), 100 * pools["total"].max()], abs=0.051
    )
    for low, high in bounds:
        lower = 100 * pools["total_bound"]
        assert float(low) <= lower.min() and float(high) <= lower.max() < float(high) + 1
    estimates = re.findall(rf"({NUMBER}) to ({NUMBER}) %", offset)[0]
    assert [float(x) for x in estimates] == pytest.approx(
        [100 * pools["dependence"].min(), 100 * pools["dependence"].max()], abs=0.051
    )


def test_simulated_prices_are_no_evidence_and_are_called_so(opening: tuple[str, ...]) -> None:
    assert "the simulated prices support" in opening[0] and "the data" not in opening[0]
    assert opening[2].startswith("Prices are simulated, so nothing here is evidence")


def test_rejections_are_counted_in_the_family() -> None:
    run = run_of(presented.study(), presented.ladder())
    scores = run.study.scores.copy()
    scores.loc[("var", FIRST), "coverage_p"] = 0.001
    scores.loc[("var", SECOND), "coverage_p"] = 0.04
    scores.loc[("siloed", VENUES), "coverage_p"] = 0.03
    study = replace(run.study, scores=scores)
    run = replace(run, study=study, findings=Findings.of(study))
    _, against, _ = run_answer(run)
    rejected = run.findings.family.drop(columns="benjamini_hochberg") <= 0.05
    counts = rejected.groupby(level="model").sum()
    alone, holm = re.findall(
        r"one by one in (.*) \(chance.*, after Holm in (.*), after Rom", against
    )[0]
    for told, column in ((alone, "coverage_p"), (holm, "holm")):
        found = {model: int(n) for n, model in re.findall(r"(\d+) under (\S+?)(?:,| and|$)", told)}
        assert found == {m: n for m, n in counts[column].items() if n}
    by_chance = float(re.findall(r"chance: ([\d.]+)", against)[0])
    assert by_chance == pytest.approx(0.05 * len(study.exposure), abs=0.051)
    assert f"of {len(study.exposure)} books" in against.lower()


@pytest.mark.parametrize("more", [True, False])
def test_a_correction_that_rejects_more_than_single_tests_is_explained(more: bool) -> None:
    run = run_of(presented.study(), presented.ladder())
    summary = run.findings.family_summary.copy()
    summary[["coverage_p", "holm", "romano_wolf"]] = 0
    summary.loc["siloed", ["coverage_p", "romano_wolf"]] = [0, 2] if more else [2, 2]
    words = against_sentence(run.study, summary)
    assert "after Romano-Wolf in 2 under siloed" in words
    assert ("a test of its own, from resampled days" in words) == more
    told = dict(verdicts(run.study, run.ladder, run.named_books, family=summary))["siloed"]
    assert "2 after Romano-Wolf" in told and ("a test of its own" in told) == more


def test_the_worst_book_is_told_with_what_it_holds() -> None:
    study = presented.study()
    (_, against, _) = run_answer(run_of(study, presented.ladder()))
    model, book = worst_rows(study.scores, 1)[0]
    row, positions = study.scores.loc[(model, book)], study.exposure.loc[book]
    assert f"the worst is {book} (" in against and f"under {model}, which" in against
    rate, p = re.findall(r"exceeds on ([\d.]+) % of days \(p ([\d.]+)\)", against)[0]
    assert float(rate) == pytest.approx(100 * row["exceedance_rate"], abs=0.0051)
    assert float(p) == pytest.approx(row["coverage_p"], abs=0.00051)
    held = against.split(f"is {book} (")[1].split(")")[0]
    for share, side, name in re.findall(r"(\d+) % (long|short) (\S+?)(?:,|$)", held):
        assert float(share) == pytest.approx(
            100 * abs(positions[name]) / positions.abs().sum(), abs=0.51
        )
        assert (positions[name] > 0) == (side == "long")


@pytest.mark.parametrize(
    ("shares", "wanted", "unwanted"),
    [
        ((0.806, 0.722, 0.501, 0.418), "and as a part of it an offset", "no offset"),
        ((0.300, 0.220, 0.022, -0.05), "but no offset", "an offset"),
        ((0.100, -0.01, 0.022, -0.05), "support neither", "part of it"),
        ((-0.02, -0.03, -0.31, -0.32), "support neither", "part of it"),
    ],
)
def test_a_headline_is_answered_by_its_own_book(
    shares: tuple[float, ...], wanted: str, unwanted: str
) -> None:
    ladder = ladder_of(*shares)
    ladder.loc[[FIRST, SECOND], ["total", "dependence"]] = 0.123
    answer = run_answer(run_of(presented.study(), ladder, VENUES))[0].split(". In ")[0]
    verdict = answer.split(": of the silos")[0]
    assert VENUES in answer and "12.3" not in answer
    assert wanted in verdict and unwanted not in verdict.replace("nor an offset", "")
    assert {round(100 * share, 1) for share in shares[::2]} <= set(numbers(answer))
    bounds = [float(n) for n in re.findall(r"at least (\d+) %", answer)]
    assert bounds == [np.floor(100 * b) for b in (shares[1], shares[3]) if b > 0]


def test_pools_with_treasuries_that_a_headline_leaves_out_are_told_beside_it() -> None:
    ladder = ladder_of(0.806, 0.722, 0.501, 0.418)
    pools = [FIRST, SECOND]
    ladder.loc[pools, "dependence"] = [0.039, -0.057]
    ladder.loc[pools, "dependence_bound"] = [-0.157, -0.161]
    headline, others = run_answer(run_of(presented.study(), ladder, VENUES))[0].split(". In ")
    assert headline.startswith(f"In '{VENUES}' ") and "as a part of it an offset" in headline
    assert others.startswith("both other named pools of Treasuries with other assets")
    assert all(f"'{book}'" in others for book in pools)
    assert "in none of them an offset" in others and "every lower bound is below zero" in others
    told = others.split("the offset estimated ")[1].split(" %")[0].split(" to ")
    assert [float(x) for x in told] == [-5.7, 3.9]
    # A title that asks about all of them leaves none to be told.
    assert ". In " not in run_answer(run_of(presented.study(), ladder, *pools))[0]
    ladder.loc[pools, "total"] = np.nan
    assert ". In " not in run_answer(run_of(presented.study(), ladder, VENUES))[0]
    ladder.loc[FIRST, "total"] = 0.5
    one = run_answer(run_of(presented.study(), ladder, VENUES))[0].split(". In ")[1]
    assert one.startswith(f"'{FIRST}' ") and SECOND not in one


def test_bounds_at_zero_support_nothing() -> None:
    answer, *_ = run_answer(run_of(presented.study(), ladder_of(0.1, 0.0, 0.02, 0.0), VENUES))
    assert "support neither" in answer and "(lower bound at zero)" in answer


def test_without_bounds_nothing_is_said_to_be_supported() -> None:
    bounds = [c for c in presented.ladder() if c.endswith("_bound")]
    for ladder in (
        presented.ladder().drop(columns=bounds),
        presented.ladder().assign(**dict.fromkeys(bounds, np.nan)),
    ):
        answer, *_ = run_answer(run_of(presented.study(), ladder))
        assert "no bound was computed" in answer and "support" not in answer


def test_pools_that_cannot_be_estimated_give_their_reason() -> None:
    ladder = ladder_of(np.nan, np.nan, np.nan, np.nan).assign(reason="CME never needed margin")
    answer, *_ = run_answer(run_of(presented.study(), ladder))
    assert "could be estimated: CME never needed margin" in answer and "support" not in answer


def test_one_silo_one_model_and_no_yardstick_on_real_yields() -> None:
    study = presented.treasury_study()
    run = presented.finished(study, pd.DataFrame(), explains={})
    first, second, third = run_answer(run)
    assert "nothing is pooled" in first and "2 named books under var" in first
    assert "book" in second and "simulated" not in " ".join((first, second, third))
    assert "spot" not in third and "offset" not in " ".join((first, second, third))


def test_a_model_that_failed_is_shown_nowhere() -> None:
    study = presented.study()
    origin = replace(study.provenance, failed_models={"mine": "it raised"})
    run = run_of(replace(study, provenance=origin), presented.ladder())
    assert "anything of mine, which failed" in run_answer(run)[2]


def test_one_book_is_no_family() -> None:
    market = presented.market()
    book = presented.book_of({"one": {"UST10Y": 1e8}})
    study = bt.run(market, book, {"siloed": st.Siloed(base=presented.BASE)})
    run = presented.finished(study, pd.DataFrame(), explains={})
    assert run_answer(run)[1].startswith("Coverage of 99 % of the one book one is ")


def test_named_books_that_pass_do_not_hide_a_family_that_is_rejected() -> None:
    study, named = presented.study(), list(presented.EXPLAINS)
    scores = study.scores.copy()
    scores["coverage_p"] = 0.9
    scores.loc[("var", "random 01"), "coverage_p"] = 0.001
    study = replace(study, scores=scores)
    family = Findings.of(study).family_summary
    said = dict(verdicts(study, presented.ladder(), named, family=family))
    assert "not rejected in any of 4 named books" in said["var"]
    assert "of all books, random ones too, 1 of 5 books rejected one by one" in said["var"]
    assert "1 after Holm" in said["var"]
    assert "none of 5 books rejected" in said["siloed"].split("; ")[1]


def test_the_page_shows_the_answer() -> None:
    run = run_of(presented.study(), presented.ladder())
    assert run_exhibit(run).answer == run_answer(run)


STUDY = """
name = "small"
headline = [{headline}]
[models.var]
kind = "historical_var"
[books.coin]
usd = {{ BTC = 1e7 }}
"""


@pytest.mark.parametrize(
    ("headline", "words"),
    [('"coins"', "did you mean 'coin'"), ('"gold"', "no book"), ('"coin", "coin"', "twice")],
)
def test_a_headline_names_books_of_the_study_once(headline: str, words: str) -> None:
    with pytest.raises(StudyError, match=words):
        read_study(STUDY.format(headline=headline), where="study.toml")
    with pytest.raises(StudyError, match="headline"):
        read_study(STUDY.format(headline="3"), where="study.toml")


def test_a_headline_changes_no_hash_of_a_study_without_one() -> None:
    one, other = (
        read_study(STUDY.format(headline=text), where="study.toml").resolved()
        for text in ("", '"coin"')
    )
    assert "headline" not in one and other == one | {"headline": ["coin"]}


def test_a_model_that_nets_nothing_says_which_of_its_rules_is_the_reason() -> None:
    models = {"siloed": st.Siloed(base=presented.BASE)}
    models |= {"houses": st.CrossMargining(base=presented.BASE)}
    book = presented.book_of({"pool": {"UST10Y": 5e7, "BTC": 5e6}, "bonds": {"UST10Y": 5e7}})
    study = bt.run(presented.market(), book, models)
    assert study.scores.loc[("houses", "pool"), "saving_vs_siloed"] == 0.0
    ladder = bt.supportable_offset(presented.market(), book, base=presented.BASE).to_frame()
    said = dict(verdicts(study, ladder, ["pool", "bonds"]))["houses"]
    assert "asks what siloed asks in 'pool': cross_margining nets nothing in 'pool': BTC is" in said
    run = presented.finished(study, ladder, explains={"pool": "", "bonds": ""})
    named = next(s for s in run_exhibit(run).sections if s.name == "scores")
    assert "BTC is not eligible (treasury over 1 year)" in named.text


def test_a_model_that_nets_gives_no_such_reason() -> None:
    book = presented.book_of({"pool": {"UST10Y": 5e7, "UST5Y@CME": -5e7, "BTC": 5e6}})
    assert st.CrossMargining().nets_nothing(book) == ""
    wide = st.CrossMargining(eligible=("treasury", "crypto"))
    assert wide.nets_nothing(presented.book_of({"pool": {"UST10Y": 5e7, "BTC": 5e6}})) == ""
    pools = {f"pool {n}": {"UST10Y": 5e7, "BTC": 5e6, "ETH": n * 1e6} for n in range(5)}
    words = st.CrossMargining().nets_nothing(presented.book_of(pools))
    assert "'pool 0', 'pool 1', 'pool 2' and 2 more pools: BTC, ETH are not eligible" in words


def test_the_worst_days_of_the_pools_stand_against_their_reduction() -> None:
    ladder = presented.ladder_with(worst_500=-0.0613)
    ladder.loc[FIRST, "worst_500"] = 0.2
    _, against, _ = run_answer(run_of(presented.study(), ladder))
    assert (
        f"500 days in a row the reduction of '{SECOND}' is estimated -6.1 %, without a bound"
        in against
    )
    _, against, _ = run_answer(run_of(presented.study(), ladder.assign(worst_500=np.nan)))
    assert "500 days" not in against


def test_a_family_without_any_rejection_is_told_in_one_clause() -> None:
    study = presented.study()
    study = replace(study, scores=study.scores.assign(coverage_p=0.5))
    run = run_of(study, presented.ladder())
    findings = Findings.of(study)
    summary = findings.family_summary.assign(romano_wolf=0.0)
    run = replace(run, study=study, findings=replace(findings, family_summary=summary))
    told = f"in none of {len(study.exposure)} books, one by one or after a correction, under any"
    assert told in run_answer(run)[1]


def test_tables_say_what_a_random_book_holds_and_leave_other_names_alone() -> None:
    study = presented.study()
    place = list(study.exposure.index).index("random 01")
    pooled = study.pooled.assign(worst_book=place)
    table = pooled_table(replace(study, pooled=pooled))
    cells = {cell.text for _, (row,) in table.groups for cell in row}
    assert "random 01 (91 % long UST2Y, 9 % short ETH)" in cells
    assert with_holding(study, FIRST) == FIRST


def test_savings_above_the_bound_are_counted_by_model() -> None:
    study, ladder = presented.study(), ladder_of(0.3, 0.2, 0.02, -0.05)
    scores = study.scores.copy()
    scores.loc[("var", FIRST), "saving_vs_siloed"] = 0.21
    scores.loc[("var", SECOND), "saving_vs_siloed"] = 0.19
    scores.loc[[("_haircut", name) for name in (FIRST, SECOND)], "saving_vs_siloed"] = -0.5
    study = replace(study, scores=scores)
    against = run_answer(run_of(study, ladder))[1]
    assert "lower bound is saved against siloed by var in 1 of the 2 books" in against
    against = run_answer(run_of(study, ladder, SECOND))[1]
    assert "saved against siloed by no model" in against
    ladder.loc[SECOND, "total_bound"] = -0.4  # supports nothing, so that any saving is above it
    against = run_answer(run_of(study, ladder, SECOND))[1]
    assert "saved against siloed by var" in against and "_haircut" not in against.split("as set")[1]
    unbounded = ladder.drop(columns=[c for c in ladder if c.endswith("_bound")])
    assert "as set" not in run_answer(run_of(study, unbounded))[1]


TOOLS = """
name = "tools"
[data]
source = "sample"
factors = ["3M", "2Y", "10Y", "BTC"]
end = "2018-12-31"
[sizing]
kind = "historical_var"
lookback = 250
[models.siloed]
kind = "siloed"
[models.base]
kind = "historical_var"
lookback = 250
[models.buffered]
kind = "buffer"
base = { kind = "historical_var", lookback = 250 }
[models.floored]
kind = "ten_year_floor"
base = { kind = "historical_var", lookback = 250 }
[books."pool"]
usd = { UST10Y = 5e7, BTC = 5e6 }
"""


def test_a_study_of_tools_is_answered_by_what_they_cost_and_calm(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(TOOLS)
    run = execute(file, progress=quiet)
    first, second, third = run_answer(run)
    scores, swings = run.study.scores, run.findings.swings
    changes = {
        name: 100 * (scores.loc[(name, "pool"), "equal_coverage_margin"]
                     / scores.loc[("base", "pool"), "equal_coverage_margin"] - 1)
        for name in ("buffered", "floored")
    }  # fmt: skip
    rises = {
        name: 100
        * (swings.loc[(name, "pool"), "rise_5"] / swings.loc[("base", "pool"), "rise_5"] - 1)
        for name in ("buffered", "floored")
    }
    cost, rise = first.split("the largest 5-day rise")
    for words, wanted in ((cost, changes), (rise, rises)):
        told = [float(n) for n in re.findall(rf"({NUMBER}) %", words)]
        assert told == pytest.approx([min(wanted.values()), max(wanted.values())], abs=0.51)
    assert "no intervals are known" in first and "support" not in first
    assert "as set" not in second and "bound" not in third
    pooled = replace(run, config=run.config.model_copy(update={"headline": ("pool",)}))
    assert run_answer(pooled)[0].startswith("In 'pool' the simulated prices support")


def test_one_tool_among_other_models_does_not_change_the_question(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(TOOLS + '[models.offset]\nkind = "correlation_offset"\n')
    assert run_answer(execute(file, progress=quiet))[0].startswith("In 'pool' the simulated")


def test_costs_are_told_apart_only_where_their_intervals_are() -> None:
    study, named = presented.study(), list(presented.EXPLAINS)
    pooled = study.pooled.copy()
    pooled[["equal_coverage_margin", "equal_coverage_low", "equal_coverage_high"]] = 1e6
    pooled.loc["siloed", "equal_coverage_high"] = 1.4e6
    pooled.loc["var", ["equal_coverage_margin", "equal_coverage_low"]] = [1.5e6, 1.3e6]
    pooled.loc["_haircut", ["equal_coverage_margin", "equal_coverage_low"]] = [1.6e6, 1.41e6]
    pooled.loc[["var", "_haircut"], "equal_coverage_high"] = 2e6
    said = dict(verdicts(replace(study, pooled=pooled), presented.ladder(), named))
    assert "50.0 % more than siloed does (1.00m, and the intervals overlap)" in said["var"]
    assert "60.0 % more than siloed does (1.00m), and its worst" in said["_haircut"]


def test_heads_say_which_margins_are_scaled_and_over_what_they_are_averaged() -> None:
    """A mean over books and a median over them rank models apart: each is named as it is."""
    study, model = presented.study(), "siloed"
    wide = study.required[model].loc[study.scored]
    scale, findings = study.pooled["scale"][model], Findings.of(study)
    told = {}
    for table in (pooled_table(study), swings_table(findings)):
        ((_, (cells,)),) = [group for group in table.groups if group[0] == model]
        told |= dict(zip(table.heads[1:], (cell.text for cell in cells), strict=True))
    median = wide.mean().median() * scale
    assert told["mean margin, unscaled, mean of books"] == millions(wide.to_numpy().mean())
    assert told["mean margin, scaled, median book"] == millions(median)
    equal = told["equal-coverage margin, mean of books [95 %]"]
    assert equal.startswith(millions(scale * wide.to_numpy().mean()))
    assert f"asks {equal.split()[0]}m USD on average over days and books" in cost_words(
        study, model
    )


def test_a_headline_book_in_one_silo_is_said_to_pool_nothing() -> None:
    alone = list(presented.BOOKS)[3]
    answer = run_answer(run_of(presented.study(), presented.ladder(), VENUES, alone))[0]
    assert answer.startswith(f"In '{VENUES}'") and f"nothing is pooled in '{alone}'" in answer
    answer = run_answer(run_of(presented.study(), presented.ladder(), alone))[0]
    assert answer.startswith(f"'{alone}' lies in one silo, so that nothing is pooled")


@pytest.mark.parametrize(
    ("rebalance", "when"),
    [
        ("daily", "(91 %"),
        ("never", "(on the first day 91 %"),
        ("by day", "(each at its largest, 91"),
    ],
)
def test_positions_that_change_are_told_with_the_day_they_are_of(rebalance: str, when: str) -> None:
    study = presented.study()
    standard = replace(study.provenance.held_to, rebalance=rebalance)
    study = replace(study, provenance=replace(study.provenance, standard=standard))
    assert f"random 01 {when}" in with_holding(study, "random 01")
