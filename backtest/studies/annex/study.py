"""`backtest annex`: what the results folders say of each topic, before it becomes a document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from backtest.anchors.run import ASKING, Found
from backtest.present.document import moment, need_report_extra
from backtest.replay.provenance import digest
from backtest.studies.annex.citations import Cited, cited_files, read_citations
from backtest.studies.annex.money import Funding
from backtest.studies.annex.needs import Filled, filled, only_simulated
from backtest.studies.annex.rules import RuleOnDay
from backtest.studies.annex.sources import Source, check_place, read_sources
from backtest.studies.annex.texts import read_texts
from backtest.studies.annex.topics import Cannot, Say, Topic, read_topics
from backtest.studies.published import reproduced
from backtest.types import Progress, StudyError

STAGE = "reading results"


@dataclass(frozen=True)
class TopicPage:
    """A topic with what the results say of it.

    Parameters
    ----------
    found : what folders say, those of simulated prices left out. missing : needs that none of them
        fills, and whether simulated ones would. text : the author's own, Markdown.
    """

    topic: Topic
    found: tuple[Filled, ...]
    missing: tuple[tuple[Say, bool], ...]
    text: str

    def cannot(self, kinds: Sequence[str]) -> tuple[Cannot, ...]:
        """What the topic cannot say, given the kinds of results that are there."""
        return tuple(c for c in self.topic.cannot if not set(c.kinds) & set(kinds))


@dataclass(frozen=True, eq=False)
class Annex:
    """An annex before it is written.

    Parameters
    ----------
    sources : the results folders, in the order given. pages : a topic each.
    cited : files of prices behind the results. funding : the rate that the author states.
    texts : folder of the author's own text. published : published numbers beside ours.
    """

    sources: tuple[Source, ...]
    pages: tuple[TopicPage, ...]
    cited: tuple[Cited, ...]
    funding: Funding | None
    texts: Path
    published: Found

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the results, those of simulated prices left out."""
        return tuple(source.kind for source in self.sources if not source.is_simulated())

    @property
    def as_of(self) -> date:
        """The last day whose rules any of the results take.

        The day on which the newest was written where none takes rules; today where that is unknown.
        """
        days = [str(source.manifest.get("as_of", "")) for source in self.sources]
        stated = max(days, default="")
        if stated:
            return date.fromisoformat(stated)
        return moment(self.stamp).date() if self.stamp else date.today()

    @property
    def stamp(self) -> str:
        """When the newest of the results was written (UTC)."""
        return max(source.stamp for source in self.sources)

    @cached_property
    def sha256(self) -> str:
        """Hash of everything that the annex is made of."""
        return digest(
            [
                [[s.folder.resolve().name, asdict(s.record)] for s in self.sources],
                [
                    [
                        page.topic.model_dump(),
                        page.text,
                        [
                            [on.words, on.standing, on.mark, on.how]
                            for on in (RuleOnDay.of(rule, self.as_of) for rule in page.topic.rule)
                        ],
                    ]
                    for page in self.pages
                ],
                [
                    [one.citation.model_dump(), one.sha256, one.how, one.read_as, one.letters]
                    for one in self.cited
                ],
                None if self.funding is None else [self.funding.percent, self.funding.source],
            ]
        )


def annex_of(
    results: Sequence[Path],
    *,
    texts: Path | None,
    citations: Path | None,
    funding_rate: float | None,
    funding_source: str,
    out: Path,
    progress: Progress,
    topics: tuple[Topic, ...] | None = None,
) -> Annex:
    """Read results folders, and what the packaged topics, or `topics`, need of them.

    Raises
    ------
    ResultsError : a folder that is none or was changed, or text, citations that cannot be used.
    StudyError : a funding rate without its source, or a source without a rate.
    """
    need_report_extra()
    funding = _funding(funding_rate, funding_source)
    progress(STAGE, 0.0)
    sources = read_sources(results)
    check_place(out, sources)
    topics = read_topics() if topics is None else topics
    folder = out / "texts" if texts is None else texts
    check_place(folder, sources)
    own = read_texts(folder, topics)
    cited = cited_files(sources, read_citations(citations))
    pages = []
    for count, topic in enumerate(topics, start=1):
        found = [one for say in topic.say for one in filled(say, sources, funding)]
        said = {one.say.what for one in found}
        missing = [(say, only_simulated(say, sources)) for say in topic.say if say.what not in said]
        pages.append(TopicPage(topic, tuple(found), tuple(missing), own.get(topic.name, "")))
        progress(STAGE, count / len(topics))
    progress(ASKING, 0.0)
    published = reproduced()
    progress(ASKING, 1.0)
    return Annex(sources, tuple(pages), cited, funding, folder, published)


def _funding(percent: float | None, source: str) -> Funding | None:
    if percent is None and not source.strip():
        return None
    if percent is None or not source.strip():
        given, lacking = (
            ("--funding-source", "--funding-rate")
            if percent is None
            else ("--funding-rate", "--funding-source")
        )
        raise StudyError(f"{given} is given without {lacking}; a rate is printed with its source.")
    if not 0.0 <= percent <= 100.0:
        raise StudyError(f"--funding-rate is {percent:g}; give per cent a year, such as 4.3.")
    return Funding(percent, " ".join(source.split()))
