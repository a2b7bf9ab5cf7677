"""One finding of a reviewer's file, and the rule by which its severity is proposed."""

from collections.abc import Sequence
from dataclasses import dataclass

HIGH, MEDIUM, LOW = "high", "medium", "low"
MOST_NAMED = 5  # books in a sentence
RULES = (
    "Severities are proposed by rule and not judged: high where coverage is rejected after "
    "allowing for the number of books, by Holm or by Romano-Wolf, or where numbers cannot stand "
    "for the model (a failed gate or model, simulated prices, doubtful prices on scored days, a "
    "published number that this installation misses); medium where one test rejects, where the "
    "model grants more than a bound supports, or where something that others rely on was not "
    "verified, is superseded or was not measured; low for the rest."
)


@dataclass(frozen=True)
class Finding:
    """One finding: its key in the file of fields, its severity, and a sentence with its numbers.

    where : the section of this file that shows them.
    """

    key: str
    severity: str
    sentence: str
    where: int


def named(books: Sequence[str]) -> str:
    """Books in a sentence, the first few by name, in quotes since a name may hold a comma.

    Examples
    --------
    >>> print(named(["long BTC, long 10Y", "b"]))
    'long BTC, long 10Y', 'b'
    >>> print(named(list("abcdefg")))
    'a', 'b', 'c', 'd', 'e' and 2 more
    """
    more = f" and {len(books) - MOST_NAMED:,} more" if len(books) > MOST_NAMED else ""
    return ", ".join(f"'{book}'" for book in books[:MOST_NAMED]) + more
