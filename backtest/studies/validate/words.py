"""The words of a given table: its rows are of accounts, and its amounts in a currency."""

import re
from collections.abc import Callable, Iterable

from backtest.present.wording import Change
from backtest.types import StudyError

Replacement = Callable[[re.Match[str]], str]
LONGEST = 12  # characters of a currency
# What the words of `run` say of books, and what is meant where accounts were given.
PHRASES = {"books stand for accounts, models": "models stand"}
BOOK = r"\b(?P<article>[Aa] )?(?P<first>[Bb])ook(?P<several>s?)\b(?!\.csv)"
USD = r"\bUSD\b"


def check_currency(currency: str) -> str:
    """A currency as it was given.

    Raises
    ------
    StudyError : it is empty, too long for a head of a table, or not to be printed.
    """
    if not 0 < len(currency.strip()) <= LONGEST or not currency.isprintable():
        raise StudyError(
            f"currency is {currency[:40]!r}; give up to {LONGEST} characters, such as EUR."
        )
    return currency.strip()


def in_currency(currency: str, names: Iterable[str] = ()) -> Change:
    """A change of words from USD to another currency; no number is converted.

    names : of files, models and accounts, which stay as they are.

    Examples
    --------
    >>> in_currency("EUR", ["cash USD", "USD"])("2.27m USD of cash USD")
    '2.27m EUR of cash USD'
    """
    return _changed(names, USD, lambda found: currency)


def of_accounts(names: Iterable[str] = ()) -> Change:
    """A change of words from books to accounts.

    Examples
    --------
    >>> of_accounts(["my book"])("All books of my book: a book in one; books.csv")
    'All accounts of my book: an account in one; books.csv'
    """

    def account(found: re.Match[str]) -> str:
        if found[0] in PHRASES:
            return PHRASES[found[0]]
        article = f"{found['article'].strip()}n " if found["article"] else ""
        word = "Account" if found["first"] == "B" else "account"
        return f"{article}{word}{found['several']}"

    return _changed(names, "|".join([*map(re.escape, PHRASES), BOOK]), account)


def _changed(names: Iterable[str], pattern: str, replacement: Replacement) -> Change:
    """A change of what a pattern finds outside of names.

    A name that is nothing but such a word, an account USD, cannot be told from the word: it is
    kept in cells, which no change is applied to.
    """
    alike = [n for n in names if re.search(pattern, n) and not re.fullmatch(pattern, n)]

    def change(text: str) -> str:
        # The longest first: one account may be named as another begins.
        kept = sorted((name for name in alike if name in text), key=len, reverse=True)
        parts = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in kept]
        whole = re.compile("|".join([*parts, pattern]))
        return whole.sub(lambda found: found[0] if found[0] in kept else replacement(found), text)

    return change
