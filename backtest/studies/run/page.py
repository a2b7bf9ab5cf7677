"""The page of `backtest run`: its sections, in the order in which they are read."""

from backtest.present.exhibit import Exhibit, Section
from backtest.present.figure import Figure
from backtest.present.table import TextTable
from backtest.replay.figures.margin_against_loss import margin_against_loss
from backtest.replay.findings.family import detectable_sentence
from backtest.replay.worst import selection
from backtest.studies.inputs import GRID_ASIDE
from backtest.studies.ladder import ladder_tables
from backtest.studies.run.answer import headline_of, run_answer
from backtest.studies.run.capital import CAPITAL_TEXT, capital_table
from backtest.studies.run.facts import (
    facts_of_data,
    facts_of_run,
    fits_sentence,
    limits,
    omissions_sentence,
    prices_line,
    standard_note,
)
from backtest.studies.run.figures import run_figures
from backtest.studies.run.figures.mitigation import mitigation_against_cost
from backtest.studies.run.figures.monte_carlo import monte_carlo_frontier
from backtest.studies.run.figures.through_stress import margin_through_stress
from backtest.studies.run.findings_tables import (
    disclosures_table,
    family_table,
    outcomes_table,
    pairs_table,
    swings_table,
)
from backtest.studies.run.study import Run
from backtest.studies.run.tables import (
    books_table,
    cost_table,
    coverage_table,
    forecasts_table,
    histories_table,
    pooled_table,
)
from backtest.studies.run.tools import EPISODE, Tools, book_of_largest_rise
from backtest.studies.run.verdict import verdicts
from backtest.studies.stress.sections import stress_sections

LADDER_TEXT = (
    "Bounds come from a stationary bootstrap of days, mean block 20, and an allowance for how much "
    "the years of the history differed. What the data support is the bound of the offset, or "
    "nothing where it is below zero. Beside each bound stands how often such bounds were too high "
    "in simulated worlds (docs/offset-calibration.md)."
)

TESTS_WORDS = "Eleven more tests of every book and model: tests.csv, and the report."

TOOLS_TEXT = (
    "Tools laid over one base model, scored on the same days. Calm is bought with margin in quiet "
    "times or with coverage in loud ones, so that costs are compared at equal coverage."
)
STRESS_TEXT = "Of the named books the one in which the margin of {base} rises most."

SWEEP_TEXT = (
    "What each model asks, and what of the saving is offset, as the Treasury's share of a pool of "
    "two legs goes from none to all of it. Numbers: sweep.csv."
)


def run_exhibit(run: Run) -> Exhibit:
    """Everything a run shows, from its numbers; only the figures' data are computed here."""
    study, books = run.study, run.named_books
    figures = {figure.name: figure for figure in run_figures(study, run.ladder, run.sweep)}
    return Exhibit(
        kind="run",
        title=run.config.title or run.config.name,
        caption=run.config.caption.strip(),
        answer=run_answer(run),
        simulated=study.simulated,
        source_line=standard_note(study),
        sections=(
            Section(
                "verdict",
                "Verdict",
                terms=tuple(
                    verdicts(
                        study,
                        run.ladder,
                        books,
                        family=run.findings.family_summary,
                        headline=headline_of(run),
                    )
                ),
                figure=figures["coverage_against_cost"],
            ),
            _scores(run, figures["exceedance_timeline"]),
            Section(
                "tests",
                "All tests of exceedances",
                tables=(outcomes_table(run.findings, run.worst, books=_books(run)),),
                figure=margin_against_loss(study, run.ranked.names[0]),
                on_screen=False,
            ),
            *_offset(run, figures),
            *_capital(run),
            *_stress(run),
            *_pooled(run),
            *_tools(run),
            *_histories(run),
            *_background(run),
        ),
        provenance=study.provenance,
        text=run.text,
        prices=prices_line(study),
        facts=tuple(facts_of_run(study)),
        failures=tuple(f"gate failed: {failure}" for failure in study.provenance.failed_gates),
    )


def _books(run: Run) -> str:
    """Which books the tables show, in words."""
    if not run.ranked.is_selection:
        return "the named books"
    return f"the {selection(len(run.shown_books), len(run.named_books), 'books')}"


def _scores(run: Run, figure: Figure) -> Section:
    """The named books: coverage, cost, and what models forecast behind their margins."""
    study, shown, tests = run.study, run.shown_books, run.findings.forecasts
    tables = [table(study, shown, books=_books(run)) for table in (coverage_table, cost_table)]
    tables += [] if tests is None else [forecasts_table(tests, shown)]
    words = (
        run.ranked.note("summary.csv").strip(),
        detectable_sentence(study),
        omissions_sentence(study),
        fits_sentence(study),
        TESTS_WORDS,
        f"{GRID_ASIDE.capitalize()}." if run.config.grid else "",
    )
    text = " ".join(filter(None, words))
    return Section("scores", "Named books", text, tables=tuple(tables), figure=figure)


def _offset(run: Run, figures: dict[str, Figure]) -> list[Section]:
    """The offset ladder, where a book is held in several silos, and the Treasury share."""
    sections = []
    if len(run.ladder):
        ladder = run.ladder.loc[run.ladder.index.isin(run.shown_books)]
        tables = ladder_tables(ladder) if len(ladder) else ()
        figure = figures["offset_ladder"]
        sections.append(
            Section(
                "offset-ladder",
                "Offset ladder",
                run.ranked.note("ladder.csv") + LADDER_TEXT,
                tables=tables,
                figure=figure,
            )
        )
    if run.sweep is not None:
        figure = figures["treasury_share_sweep"]
        sections.append(
            Section("treasury-share", "Treasury share", SWEEP_TEXT, figure=figure, on_screen=False)
        )
    return sections


def _capital(run: Run) -> list[Section]:
    """What a bank needs beside margin, where a book holds cryptoassets."""
    table = capital_table(run.study, run.shown_books)
    if table is None:
        return []
    heading = "Capital beside margin"
    return [Section("capital", heading, CAPITAL_TEXT, tables=(table,), on_screen=False)]


def _stress(run: Run) -> list[Section]:
    """Stress test and limits, where the study asks for them."""
    if run.stress is None:
        return []
    study = run.study
    return stress_sections(
        run.stress,
        run.shown_books,
        scenarios=study.provenance.study["stress"]["parameters"],
        footnote=study.provenance.footnote(),
        simulated=study.simulated,
    )


def _pooled(run: Run) -> tuple[Section, Section]:
    """All books at once: one scale a model, tests of the family, pairs of models, swings."""
    tables = [pooled_table(run.study), family_table(run.findings)]
    tables += [] if run.findings.pairs is None else [pairs_table(run.findings.pairs)]
    swings = (swings_table(run.findings), disclosures_table(run.findings))
    return (
        Section("pooled", "All books pooled", tables=tuple(tables)),
        Section("swings", "Procyclicality and disclosure", tables=swings, on_screen=False),
    )


def _tools(run: Run) -> list[Section]:
    """Tools against procyclicality over one base model, where the study has some."""
    tools = Tools.of(run.config.models)
    tools = None if tools is None else tools.present(run.study)
    if tools is None:
        return []
    study, (base, names) = run.study, (tools.base, tools.names)
    sections = [
        Section(
            "tools",
            "What the tools calm, and what they cost",
            TOOLS_TEXT,
            figure=mitigation_against_cost(study, base, names, run.findings.swings),
            on_screen=False,
        )
    ]
    book = book_of_largest_rise(study, base, run.named_books)
    if book is not None:
        figure = margin_through_stress(study, book, base, names, episode=EPISODE)
        heading, text = f"Margin through {EPISODE}", STRESS_TEXT.format(base=base)
        sections.append(Section("stress", heading, text, figure=figure, on_screen=False))
    return sections


def _histories(run: Run) -> list[Section]:
    """Simulated histories, where the study drew some."""
    if run.distribution is None:
        return []
    shown = [book for book in run.shown_books if book in run.distribution.portfolios]
    table = histories_table(run.distribution, shown)
    figure = monte_carlo_frontier(run.distribution, run.study, run.ladder)
    return [
        Section("histories", "Simulated histories", tables=(table,), figure=figure, simulated=True)
    ]


def _background(run: Run) -> tuple[Section, ...]:
    """What only the page has room for: what the books are, limits, data."""
    study, books = run.study, run.named_books
    others = len(study.exposure) - len(books)
    shown = books_table(study, run.explanations, run.shown_books, random=others, books=_books(run))
    prices = (TextTable.of_facts("Where the prices come from", facts_of_data(study)),)
    sentences = tuple(limits(study, run.ladder, books))
    return (
        Section("books", "What the books are", tables=(shown,), on_screen=False),
        Section("limits", "Limits", sentences=sentences, on_screen=False),
        Section("data", "Data", tables=prices, on_screen=False),
    )
