"""Gates: conditions a study puts on its own summary; the command exits with 1 where one fails."""

from backtest.config.sections import GateTable
from backtest.replay.study import Study
from backtest.types import StudyError


def gate_failure(gate: GateTable, study: Study) -> str | None:
    """One line for a gate that failed; None for one that held."""
    if gate.model not in study.models:  # only one that the study may do without is not there
        return f"{gate.model}: the model failed"
    rows = study.summary().loc[gate.model]
    if gate.column not in rows.columns:
        raise StudyError(f"a gate names column {gate.column!r}; known: {', '.join(rows.columns)}.")
    if gate.portfolio is not None:
        if gate.portfolio not in rows.index:
            raise StudyError(
                f"a gate names portfolio {gate.portfolio!r}, which the study does not hold; name "
                "one of its books."
            )
        rows = rows.loc[[gate.portfolio]]
    values = rows[gate.column].astype(float)
    low = -float("inf") if gate.at_least is None else gate.at_least
    high = float("inf") if gate.at_most is None else gate.at_most
    wrong = values[~values.between(low, high)]
    if wrong.empty:
        return None
    return (
        f"{gate.model}: {gate.column} of {wrong.index[0]!r} is {wrong.iloc[0]:.4g}, "
        f"outside {low:g} .. {high:g} ({len(wrong)} of {len(values)} portfolios)"
    )
