"""What only persons can state of a model: a TOML file, whose every gap is printed as one."""

import tomllib
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backtest.parameters.registry import first_mistake
from backtest.types import StudyError, read_regular, shown

TO_BE_COMPLETED = "TO BE COMPLETED"
LONGEST = 4000  # characters of a statement: more is a document of its own
DAYS = ("date", "retrieved", "next_review", "due")  # keys whose values are days


def _as_text(value: Any) -> Any:
    """A TOML date as the text that it was; anything else as it is."""
    return value.isoformat() if type(value) is date else value


def _day(value: Any) -> Any:
    text = _as_text(value)
    if isinstance(text, str) and text:
        date.fromisoformat(text)
    return text


Words = Annotated[str, Field(strict=True, max_length=LONGEST)]
Day = Annotated[str, BeforeValidator(_day)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Table):
    """The model in its firm: who answers for it, what for, and how much hangs on it."""

    owner: Words = ""
    developer: Words = ""
    users: Words = ""
    purpose: Words = ""
    use: Words = ""
    not_for: Words = ""
    exposure: Words = ""
    tier: Words = ""
    tier_reason: Words = ""


class Judgement(_Table):
    """What a reviewer makes of the evidence, a section each."""

    rating: Words = ""
    conditions: Words = ""
    data: Words = ""
    conceptual_soundness: Words = ""
    implementation: Words = ""
    outcomes: Words = ""
    challengers: Words = ""
    sensitivities: Words = ""
    limitations: Words = ""


class Checks(_Table):
    """What commands printed that the reviewer ran: this file cannot vouch for them."""

    selfcheck: Words = ""
    reproduce: Words = ""
    faults: Words = ""


class Origin(_Table):
    """Where the value of a parameter comes from."""

    source: Words = ""
    date: Day = ""
    verified_by: Words = ""


class DataSource(_Table):
    """Where a file of prices comes from: its name proves nothing."""

    publisher: Words = ""
    series: Words = ""
    retrieved: Day = ""
    licence: Words = ""


class Control(_Table):
    """What is done about a limitation, and by whom."""

    control: Words = ""
    owner: Words = ""


class Monitoring(_Table):
    """Who watches the triggers, how often, and whom a crossed one is brought before."""

    owner: Words = ""
    frequency: Words = ""
    escalation: Words = ""
    next_review: Day = ""


class Answer(_Table):
    """What became of a finding."""

    severity: Literal["", "high", "medium", "low"] = ""
    owner: Words = ""
    due: Day = ""
    status: Literal["", "open", "accepted", "closed"] = ""
    response: Words = ""


class OwnFinding(Answer):
    """A finding of a person, beside those that are found automatically."""

    title: Annotated[str, Field(strict=True, min_length=1, max_length=LONGEST)]


class Signature(_Table):
    """One row of the sign-off table."""

    role: Annotated[str, Field(strict=True, min_length=1, max_length=200)]
    name: Words = ""
    date: Day = ""
    decision: Words = ""


class Fields(_Table):
    """What persons state; an empty text is not stated.

    made_of : sha256 of the evidence that the statements are about, from the template; a file of
        other evidence says so in red. Keys of `sources`, `parameters`, `limitations` and `findings`
        are those that the file prints.
    """

    made_of: Words = ""
    model: About = About()
    judgement: Judgement = Judgement()
    checks: Checks = Checks()
    monitoring: Monitoring = Monitoring()
    sources: dict[str, DataSource] = Field(default_factory=dict)
    parameters: dict[str, Origin] = Field(default_factory=dict)
    limitations: dict[str, Control] = Field(default_factory=dict)
    findings: dict[str, Answer] = Field(default_factory=dict)
    more_findings: tuple[OwnFinding, ...] = ()
    signatures: tuple[Signature, ...] = ()


def read_fields(file: Path) -> tuple[Fields, str]:
    """The statements of a file, and its text.

    Raises
    ------
    StudyError : no such file, no TOML, an unknown key, or a value that is none.
    """
    try:
        text = read_regular(file).decode("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise StudyError(
            f"cannot read the fields {str(file)!r}: {error.strerror}; without --fields a template "
            "is written into the results folder: copy it, fill it in, and name the copy."
        ) from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise StudyError(f"{file.name} is not TOML: {reason}") from error
    try:
        return Fields.model_validate(table), text
    except ValidationError as error:
        raise StudyError(_mistake(file.name, error)) from None


def _mistake(file: str, error: ValidationError) -> str:
    """The first thing that is wrong: key, value, what to do, and the keys that there are."""
    first = error.errors(include_url=False)[0]
    *above, last = first["loc"]
    place, value = ".".join(map(str, first["loc"])), shown(first["input"])
    what = first["type"]
    if what == "extra_forbidden":
        known = _keys_of(above)
        close = get_close_matches(str(last), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"{file} has no key {place!r} (it is {value}); known: {', '.join(known)}.{hint}"
    if what == "missing":
        return f"{file}: {place} is missing; give a text in quotation marks."
    said = f"{file}: {place} is {value}"
    if last in DAYS:
        return f"{said}, which is no day; write one as 2027-01-31."
    if what == "literal_error":
        return f"{said}; give {first['ctx']['expected']}."
    if what == "string_type":
        return f"{said}; give a text in quotation marks."
    if what == "string_too_long":
        return (
            f"{said}, of {len(first['input']):,} characters; give {first['ctx']['max_length']:,} "
            "at most, and name the document that has more."
        )
    if what in ("model_type", "dict_type"):
        return f"{said}; give a table, [{place}]."
    if what in ("tuple_type", "list_type"):
        return f"{said}; give tables, [[{place}]]."
    return first_mistake(file, error)


def _keys_of(above: Sequence[int | str]) -> list[str]:
    """Keys that the table at a place of the file may have."""
    where: Any = Fields
    for step in above:
        if isinstance(where, type) and issubclass(where, BaseModel):
            where = where.model_fields[str(step)].annotation
        else:  # a table by key, or a list by place
            where = get_args(where)[1 if get_origin(where) is dict else 0]
    return list(where.model_fields)


def stated(text: str) -> str:
    """What a person stated, or that it is still to be completed.

    Examples
    --------
    >>> stated("tier 1"), stated(" ")
    ('tier 1', 'TO BE COMPLETED')
    """
    return text.strip() or TO_BE_COMPLETED
