"""The rules behind a model in a study: which version, in force when, how that is known."""

from backtest.parameters.sources import ParameterSource
from backtest.present.table import Cell, TextTable
from backtest.studies.dossier.folders import Scored

IN_FORCE = "in force"
ASSUMED = "an assumption, in force on no day"
ITS_DAYS = "the rule of its own days"
EACH_DAY = (
    "Every day had the rules of that day (as_replayed): a version counts on its own days alone."
)
NOT_KNOWN = "The folder does not say whose day's rules its models took."


def rules_in_force(each: Scored, model: str) -> TextTable | None:
    """The parameter files that a model rests on, a row each; None where it rests on none.

    The marks are those that the study recorded when it ran.
    """
    origin = each.origin
    sources = origin.parameters.get(model, ())
    if not sources:
        return None
    note = EACH_DAY if origin.as_replayed else "" if origin.as_of else NOT_KNOWN
    return TextTable.of(
        f"Rules in force behind {model} in {each.label}",
        "version",
        [(source.name, source) for source in sources],
        {
            "what": lambda source: Cell(source.title, words=True),
            "in force": lambda source: Cell(source.days, words=True),
            f"on {origin.as_of or 'the day of the study'}": lambda source: _standing(
                source, origin.as_of
            ),
            "verified": lambda source: Cell(source.mark, bold="NOT" in source.mark, words=True),
            "known by": lambda source: Cell(source.known_by or "not stated", words=True),
        },
        note=note,
    )


def _standing(source: ParameterSource, as_of: str) -> Cell:
    """Whether a version is the rule of a day, in bold where it is not."""
    if not as_of:
        return Cell("not known", words=True)
    if source.how == "assumption":
        return Cell(ASSUMED, words=True)
    if source.replayed:
        return Cell(ITS_DAYS, words=True)
    reason = source.standing(as_of).removeprefix(f"{source.name} ")
    return Cell(reason or IN_FORCE, bold=bool(reason), words=True)
