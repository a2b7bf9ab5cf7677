"""Topics of the request: a file each, which names what it needs of results folders of any kind."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from backtest.parameters.files import load_parameters, rules, version_of
from backtest.parameters.ranges import term_value
from backtest.parameters.sources import parameter_source
from backtest.types import ResultsError

PACKAGED = Path(__file__).parent / "topics"
REQUEST = Path(__file__).parent / "request.toml"
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class Say(BaseModel):
    """Something that a topic would say from results.

    Parameters
    ----------
    what : in words; the caption of the table that is quoted.
    kinds : kinds of results folders that have it, the best first; any kind where empty.
    section : name of the section of the page; any where empty.
    columns : beginnings of the heads that its table must have, and that are quoted; alternatives
        parted by '|'. Without them whole tables are referred to.
    caption : beginning of the caption of its table; any where empty.
    rows : beginnings of the names of the rows that are quoted, with all columns.
    begins : beginnings of sentences of the sections' own text that are quoted.
    figures : names of figures that show it, in the folder that is quoted or another of its study.
    answers : quote the sentences that the page opens with.
    file, base, share, bound : money: a CSV of the folder, its column in USD, and the columns of a
        share of it and of the share's lower bound. size : beginning of the columns that add up to
        the size of a row's book in USD.
    simulated_counts : True where the numbers are of tests, not of prices, and need no history.
    fills : what a user does to have it.
    """

    model_config = STRICT
    what: str
    kinds: list[str] = []
    section: str = ""
    columns: list[str] = []
    caption: str = ""
    rows: list[str] = []
    begins: list[str] = []
    figures: list[str] = []
    answers: bool = False
    file: str = ""
    base: str = ""
    share: str = ""
    bound: str = ""
    size: str = ""
    simulated_counts: bool = False
    fills: str


class Rule(BaseModel):
    """A rule in force: what it asks, where it stands, since when, and whether that was read.

    Parameters
    ----------
    where, dated : place and day; of a rule with `parameters` its file's, where they are left out.
    verified, source : whether it was read, and how that is known.
    parameters : rule of `strategies/parameters/` that has its numbers, in place of these two: what
        is verified for a model is verified here, and what is not, is not. The page has the version
        of the results' day.
    numbers : what is printed of that version: a label, and the dotted place of the term.
    """

    model_config = STRICT
    rule: str
    where: str = ""
    dated: str = ""
    verified: bool = False
    source: str = ""
    parameters: str = ""
    numbers: dict[str, str] = {}

    @model_validator(mode="after")
    def _marked_once(self) -> Self:
        if not self.parameters:
            if not {"where", "dated", "verified", "source"} <= self.model_fields_set:
                raise ValueError("a rule needs where, dated, verified and source, or `parameters`")
            return self
        if {"verified", "source", "dated"} & self.model_fields_set:
            raise ValueError("a rule of a parameter file takes its mark and its days from the file")
        for version in rules().get(self.parameters, (version_of(self.parameters),)):
            if not parameter_source(version).compared:
                raise ValueError(f"parameter file {version} does not say what was compared")
            for term in self.numbers.values():
                term_value(load_parameters(version), term)
        return self


class Cannot(BaseModel):
    """What cannot be said; `kinds` of folders that would end that, and what `fills` it."""

    model_config = STRICT
    words: str
    kinds: list[str] = []
    fills: str = ""


class TopicFile(BaseModel):
    """A topic as its file has it."""

    model_config = STRICT
    order: int
    title: str
    asked: str
    say: list[Say] = Field(default=[])
    rule: list[Rule] = Field(default=[])
    cannot: list[Cannot] = Field(default=[])


class Topic(TopicFile):
    """A topic; `name` is that of its file, and of the author's text for it."""

    name: str

    @property
    def page(self) -> str:
        """Name of its page, for references."""
        return f"topic-{self.name}"


class Request(BaseModel):
    """The request that the topics are those of, and where their list comes from."""

    model_config = STRICT
    title: str
    issued: str
    verified: bool
    source: str
    read: str


Form = TypeVar("Form", bound=BaseModel)


def read_topics(folder: Path = PACKAGED) -> tuple[Topic, ...]:
    """Topics in their order.

    Raises
    ------
    ResultsError : a file that is no topic.

    Examples
    --------
    >>> [topic.name for topic in read_topics()][:3]
    ['models-and-practices', 'customer-protection', 'cross-margining']
    """
    topics = [
        Topic(name=file.stem, **_read(TopicFile, file).model_dump(exclude_unset=True))
        for file in sorted(folder.glob("*.toml"))
    ]
    return tuple(sorted(topics, key=lambda topic: (topic.order, topic.name)))


@cache
def read_request() -> Request:
    """The request that the annex answers."""
    return _read(Request, REQUEST)


def _read(form: type[Form], file: Path) -> Form:
    try:
        return form.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{file.name} is not TOML: {error}; mend it.") from error
    except RecursionError as error:
        raise ResultsError(f"{file.name} is nested too deeply; mend it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ResultsError(f"{file.name}: {where}: {first['msg'].lower()}; mend it.") from error
