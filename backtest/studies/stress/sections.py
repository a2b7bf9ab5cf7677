"""The sections of a page that a stress test fills, for every command that shows one."""

from collections.abc import Sequence

from backtest.parameters.sources import parameter_source
from backtest.present.exhibit import Section
from backtest.stress import StressResult
from backtest.studies.stress.answer import stress_sentences
from backtest.studies.stress.figure import has_distances, reverse_stress
from backtest.studies.stress.tables import (
    firms_table,
    limits_table,
    losses_table,
    margins_table,
    reverse_table,
)


def stress_sections(
    result: StressResult,
    books: Sequence[str],
    *,
    scenarios: str,
    footnote: str,
    simulated: bool,
    about: str = "",
) -> list[Section]:
    """Sentences, losses, reverse stress and limits; what a study does not ask for is left out.

    Parameters
    ----------
    books : accounts whose rows are shown; firms are all shown.
    scenarios : the version of the packaged scenarios.
    footnote : of the figure: source, window, standard. simulated : whether prices are.
    about : what else is to be said of the margins.
    """
    source = parameter_source(scenarios)
    sections = [
        Section(
            "stress-test",
            "Stress test",
            f"Packaged scenarios: {source.name}, {source.mark}. {about}".strip(),
            sentences=stress_sentences(result),
        ),
        Section(
            "stress-losses",
            "Stress losses",
            tables=(margins_table(result, books), losses_table(result, books)),
            on_screen=False,
        ),
    ]
    if len(result.reverse):
        firms, figure = firms_table(result), None
        if has_distances(result):
            figure = reverse_stress(result, footnote, simulated=simulated)
        tables = (reverse_table(result, books), *([firms] if firms is not None else []))
        heading = "Reverse stress: what uses margins up"
        sections.append(
            Section("reverse-stress", heading, figure=figure, tables=tables, on_screen=False)
        )
    if len(result.limits):
        tables = (limits_table(result),)
        sections.append(Section("risk-limits", "Limits of risk", tables=tables, on_screen=False))
    return sections
