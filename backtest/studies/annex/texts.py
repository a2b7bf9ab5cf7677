"""The author's own text: a Markdown file a topic, made empty at first and never written over."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from backtest.studies.annex.topics import Topic
from backtest.types import ResultsError, read_regular

FIRST = """<!--
{title}: your own text for this topic, in Markdown. What stands here is printed on the topic's page.
[any words](#{example}) refers to a figure or table and prints its number; the names are in
references.csv of the annex. Images are not taken; HTML is printed as it is typed. This file is
never written over.
-->
"""
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
MOST_BYTES = 200_000  # of a text: some 30,000 words, and a page of the annex is of one topic
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # reorder what is shown


def read_texts(folder: Path, topics: Sequence[Topic]) -> dict[str, str]:
    """The author's text by topic; a topic without a file, or with comments alone, is left out.

    Raises
    ------
    ResultsError : a Markdown file that belongs to no topic, leads out of the folder, is too long,
        cannot be read, or holds characters that are not shown.
    """
    names = [topic.name for topic in topics]
    if folder.exists() and not folder.is_dir():
        raise ResultsError(f"{str(folder)!r} is no folder of texts; choose another with --texts.")
    for file in sorted(folder.glob("*.md")):
        if file.stem not in names:
            raise ResultsError(
                f"{str(file)!r} belongs to no topic; the topics are {', '.join(names)}."
            )
    texts = {}
    for name in names:
        file = folder / f"{name}.md"
        if not file.exists():
            continue
        if not file.resolve().is_relative_to(folder.resolve()):
            raise ResultsError(
                f"{str(file)!r} is a link to a file outside of its folder; put the text there."
            )
        try:
            content = read_regular(file)
            if len(content) > MOST_BYTES:
                raise ResultsError(
                    f"{str(file)!r} has {len(content):,} bytes; at most {MOST_BYTES:,} are printed "
                    "on a topic's page: shorten it."
                )
            text = content.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ResultsError(f"cannot read {str(file)!r}: {reason}.") from error
        _check_characters(text, file)
        if COMMENT.sub("", text).strip():
            texts[name] = text
    return texts


def _check_characters(text: str, file: Path) -> None:
    for place, letter in enumerate(text):
        hidden = unicodedata.category(letter) == "Cc" and letter not in "\t\n\r"
        if hidden or letter in TURNING:
            row = text.count("\n", 0, place) + 1
            raise ResultsError(
                f"{str(file)!r}, line {row}: character U+{ord(letter):04X} is not shown; delete it."
            )


def start_texts(folder: Path, topics: Sequence[Topic], *, example: str) -> list[Path]:
    """Make the files that are missing, and give them; one that is there is left as it is.

    Raises
    ------
    ResultsError : the folder cannot be written.
    """
    started = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for topic in topics:
            file = folder / f"{topic.name}.md"
            try:
                with file.open("x", encoding="utf-8", newline="\n") as new:
                    new.write(FIRST.format(title=topic.title, example=example))
            except FileExistsError:
                continue
            started.append(file)
    except OSError as error:
        reason = error.strerror or error
        raise ResultsError(
            f"cannot write {str(folder)!r}: {reason}; choose another with --texts."
        ) from error
    return started
