"""Every anchor that ships, and those of a folder, asked one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

from backtest.anchors.anchor import AnchorSet, Compared
from backtest.anchors.golden import Golden, Held
from backtest.types import DataError, Progress, counted, unheard

SHIPPED = ("clearing", "simm", "simm_tests", "exceedances", "laws")
HELD = ("simm", "simm_trees", "tails", "eurex", "fits", "packages")
ASKING = "published numbers"


@dataclass(frozen=True, eq=False)
class Answered:
    """A set and its answers."""

    of: AnchorSet
    answers: tuple[Compared, ...]

    @property
    def misses(self) -> tuple[Compared, ...]:
        """Answers that are not the published number."""
        return tuple(answer for answer in self.answers if not answer.is_met)


@dataclass(frozen=True, eq=False)
class Found:
    """The sets that were asked, and a line for each that was not because a file is missing."""

    sets: tuple[Answered, ...]
    absent: tuple[str, ...]

    @property
    def answers(self) -> tuple[Compared, ...]:
        """All answers."""
        return tuple(answer for each in self.sets for answer in each.answers)

    @property
    def misses(self) -> tuple[Compared, ...]:
        """Answers that are not the published number."""
        return tuple(miss for each in self.sets for miss in each.misses)

    def sentence(self) -> str:
        """'173 of 173 published numbers are met, in 7 sets; 9 are remembered, not read.'."""
        asked = len(self.answers)
        met = asked - len(self.misses)
        remembered = sum(answer.anchor.known == "memory" for answer in self.answers)
        doubt = f"; {remembered:,} are remembered, not read" if remembered else ""
        return f"{met:,} of {asked:,} published numbers are met, in {len(self.sets)} sets{doubt}."


def shipped_sets() -> Iterator[AnchorSet]:
    """The sets that ship.

    Examples
    --------
    >>> all(one.published and one.source for each in shipped_sets() for one in each.anchors)
    True
    """
    for family in SHIPPED:
        yield from import_module(f"backtest.anchors.{family}").SETS


def held_sets() -> tuple[Held, ...]:
    """The sets whose data do not ship."""
    families = (import_module(f"backtest.anchors.{family}") for family in HELD)
    return tuple(held for family in families for held in family.HELD)


def sets_in(folder: str | Path) -> tuple[list[AnchorSet], list[str]]:
    """The held sets that a folder has, and a line for each that it has not.

    Raises
    ------
    DataError : no folder, none of the sets in it, or a file that cannot be read or is damaged.
    """
    golden, sets, absent = Golden.of(folder), [], []
    for held in held_sets():
        versions = golden.versions(held)
        if not versions:
            absent.append(f"not there: {held.main} ({held.title})")
        for main in versions:
            star = held.star(main)
            names = held.beside(star)
            paths = [golden.path(name) for name in names]
            missing = [name for name, path in zip(names, paths, strict=True) if path is None]
            if missing:
                absent.append(f"not there: {', '.join(missing)}, which {main.name} needs")
                continue
            sets.append(held.read(star, [main, *(path for path in paths if path is not None)]))
    if not sets:
        raise DataError(
            f"{folder} has none of the files of published numbers; give a folder with files such "
            f"as {', '.join(held.main for held in held_sets()[:3])}."
        )
    return sets, absent


def run_anchors(golden: str | Path | None = None, *, progress: Progress = unheard) -> Found:
    """Ask every anchor that ships, and those of the files in a folder.

    Parameters
    ----------
    golden : folder with inputs and printed answers of others, all of the sets or some; a missing
        file is told in a line.

    Raises
    ------
    DataError : no such folder, none of the sets in it, or a file that is damaged.
    """
    sets, absent = list(shipped_sets()), []
    if golden is None:
        absent.append(f"not asked: {len(held_sets())} sets whose data may not ship (--golden DIR)")
    else:
        held, absent = sets_in(golden)
        sets += held
    anchors = sum(len(each.anchors) for each in sets)
    answers = counted(progress, ASKING, _asked(sets), anchors)
    answered = []
    for each in sets:
        answered.append(Answered(each, tuple(next(answers) for _ in each.anchors)))
    return Found(tuple(answered), tuple(absent))


def _asked(sets: list[AnchorSet]) -> Iterator[Compared]:
    return (anchor.compare() for each in sets for anchor in each.anchors)


def rows_of(found: Found) -> pd.DataFrame:
    """Answers as rows: set, group, what, source, known, published, ours, difference, allowed, met.

    `known` says where the published number was read.
    """
    return pd.DataFrame(
        [
            {
                "set": each.of.title,
                "group": answer.anchor.group,
                "what": answer.anchor.what,
                "source": answer.anchor.source,
                "known": answer.anchor.known,
                "published": answer.anchor.published,
                "ours": answer.ours,
                "difference": answer.difference,
                "allowed": answer.anchor.allowed,
                "met": answer.is_met,
            }
            for each in found.sets
            for answer in each.answers
        ]
    )
