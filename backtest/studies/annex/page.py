"""The screen of `backtest annex`: what was made of which results, and what is still missing."""

from typing import Any

import pandas as pd

from backtest.present.exhibit import Exhibit, Section
from backtest.studies.annex.rules import RuleOnDay
from backtest.studies.annex.sources import REAL
from backtest.studies.annex.study import Annex
from backtest.studies.annex.topics import read_request
from backtest.studies.sentences import counted

CAPTION = (
    "Words and numbers are those of the results folders; nothing was computed anew but money "
    "and the published numbers that this installation was asked for."
)


class AnnexOrigin:
    """Where an annex comes from: its results folders, for the manifest."""

    def __init__(self, annex: Annex) -> None:
        self.annex = annex

    @property
    def name(self) -> str:
        """Name of the command, which stands in place of a study."""
        return "annex"

    @property
    def sha256(self) -> str:
        """Hash of everything that the annex is made of."""
        return self.annex.sha256

    def facts(self) -> list[tuple[str, str]]:
        """The results folders and their hashes."""
        return [
            (f"results {source.letter}", f"{source.folder.resolve().name}, {source.record.sha256}")
            for source in self.annex.sources
        ]

    def certificate(self) -> str:
        """Nothing of its own was checked for causality."""
        return ""

    def alarms(self) -> list[str]:
        """What stands in red above the numbers of any of the results."""
        return list(dict.fromkeys(a for s in self.annex.sources for a in s.record.alarms))

    def to_json(self) -> dict[str, Any]:
        """Content of manifest.json."""
        return {
            "kind": "annex",
            "sha256": self.sha256,
            "results": [
                {
                    "letter": source.letter,
                    "folder": source.folder.resolve().name,
                    "kind": source.record.kind,
                    "study": source.record.study,
                    "simulated": source.record.simulated,
                    "sha256": source.record.sha256,
                }
                for source in self.annex.sources
            ],
            "files": [
                {"name": cited.citation.name, "sha256": cited.sha256} for cited in self.annex.cited
            ],
            "topics": [page.topic.name for page in self.annex.pages],
        }


def annex_exhibit(annex: Annex) -> Exhibit:
    """What the screen prints of an annex; the documents are its pages."""
    simulated = [source.letter for source in annex.sources if source.is_simulated()]
    return Exhibit(
        kind="annex",
        title="Annex",
        caption=CAPTION,
        simulated=False,
        source_line="",
        sections=(
            Section(
                name="results",
                heading="Results",
                table=pd.DataFrame(
                    [
                        {
                            "folder": source.folder.resolve().name,
                            "kind": source.kind,
                            "prices": source.prices,
                        }
                        for source in annex.sources
                    ],
                    index=pd.Index([source.letter for source in annex.sources], name="results"),
                ),
            ),
            Section(
                name="topics",
                heading="Topics",
                text=f"Your own text is read from {annex.texts}, a Markdown file a topic.",
                table=_topics(annex),
            ),
        ),
        provenance=AnnexOrigin(annex),
        text="",
        answer=_answer(annex, simulated),
    )


def _topics(annex: Annex) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "from results": ", ".join(dict.fromkeys(f.source.letter for f in page.found))
                or "none",
                "cannot say": len(page.cannot(annex.kinds)) + len(page.missing),
                "own text": "yes" if page.text.strip() else "none",
            }
            for page in annex.pages
        ],
        index=pd.Index([page.topic.title for page in annex.pages], name="topic"),
    )


def _answer(annex: Annex, simulated: list[str]) -> tuple[str, ...]:
    real = sum(any(one.source.prices == REAL for one in page.found) for page in annex.pages)
    other = sum(bool(page.found) for page in annex.pages) - real
    more = f", {other} more only from given tables or of no prices" if other else ""
    missing = sum(len(page.cannot(annex.kinds)) + len(page.missing) for page in annex.pages)
    rules = [RuleOnDay.of(rule, annex.as_of) for page in annex.pages for rule in page.topic.rule]
    unread = sum(not rule.is_verified for rule in rules)
    in_part = sum(rule.is_in_part for rule in rules)
    sentences = [
        f"{real} of {counted(len(annex.pages), 'topic')} have a number from results on real "
        f"prices{more}; {counted(missing, 'thing')} cannot be said from the results given, and the "
        "annex says which.",
        f"{unread} of {counted(len(rules), 'rule')} in force {'are' if unread != 1 else 'is'} "
        f"marked NOT VERIFIED, {in_part} of them in part"
        + ("" if read_request().verified else ", and so is the list of topics")
        + "; compare them before you file.",
    ]
    if simulated:
        sentences.append(
            f"Results {', '.join(simulated)} are SIMULATED and stand for no topic's number."
        )
    return tuple(sentences)
