"""What a study of given margins starts from, in words: the table, and what nobody could check."""

from dataclasses import dataclass
from typing import Literal

NOT_SEEN = (
    "prices, positions and models were not given: no causality audit, no fits, no parameters and "
    "no omissions can be told of, and whether a margin was known on its day is the table's word"
)
MOST_NAMED = 10  # accounts named in a sentence


@dataclass(frozen=True)
class GivenTable:
    """The table that margins and losses were given by.

    Parameters
    ----------
    name : of the file, or 'the table'. rows, accounts, days, first, last : what it holds.
    signs : its column, 'loss' or 'pnl'. span : whether its losses were 'mpor' or 'daily'.
    mpor : rows that a loss spans.
    own_days : scored accounts that do not have all scored days.
    idle, short : accounts left out: all zero, or with fewer than 60 scored days.
    held : models whose collateral was given; that of others is replayed.
    sha256 : of the days, accounts, losses and margins as numbers.
    doubts : sentences on signs that may be reversed, days without a session, P&L that repeats.
    """

    name: str
    rows: int
    accounts: int
    days: int
    first: str
    last: str
    signs: Literal["loss", "pnl"]
    span: Literal["mpor", "daily"]
    mpor: int
    own_days: int
    idle: tuple[str, ...]
    short: tuple[str, ...]
    held: tuple[str, ...]
    sha256: str
    doubts: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The table and which way round its losses run, in one line."""
        way = {"loss": "loss > 0 is a loss", "pnl": "pnl > 0 is a gain"}[self.signs]
        if self.span == "mpor":
            span = f"each row's over the {self.mpor} margin days that follow it"
        elif self.mpor == 1:
            span = "daily, that of the next day against each margin"
        else:
            span = f"daily, summed to the overlapping loss of the next {self.mpor} days"
        return f"margins given by {self.name}, not computed here; {way}, {span}"

    def findings(self) -> list[str]:
        """What of the table was not scored as a whole, a sentence each."""
        sentences = list(self.doubts)
        sentences += [
            f"{len(names):,} account{'s' if len(names) > 1 else ''} left out, {why}: "
            f"{', '.join(names[:MOST_NAMED])}{', ...' if len(names) > MOST_NAMED else ''}."
            for names, why in (
                (self.idle, "all zero"),
                (self.short, "fewer than 60 days with P&L and margin"),
            )
            if names
        ]
        if self.own_days:
            sentences.append(
                f"{self.own_days:,} of {self.accounts:,} accounts lack some of the scored days "
                "(opened, closed or silent in between): each is scored on its own days, none is "
                "cut to the common ones. Pooled numbers count the cells there are; Romano-Wolf and "
                "pairs of models, which need every day of every account, are left out."
            )
        return sentences

    def facts(self) -> list[tuple[str, str]]:
        """Facts that a page lists."""
        held = f"as given, of {', '.join(self.held)}; a call is what is lacking at a close"
        return [
            ("source", self.sentence()),
            ("collateral held", held if self.held else "replayed, under the terms of the account"),
            (
                "the table",
                f"{self.rows:,} rows, {self.accounts:,} accounts scored, {self.days:,} days "
                f"{self.first} .. {self.last}",
            ),
            ("sha256 of its numbers", self.sha256),
            ("not seen", f"{NOT_SEEN}."),
            (f"accounts all zero ({len(self.idle):,})", ", ".join(self.idle) or "none"),
            (f"accounts too short ({len(self.short):,})", ", ".join(self.short) or "none"),
        ]
