"""What a study starts from: the prices it read and the software that computed it."""

import hashlib
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from backtest.kernels.compile import SOURCES
from backtest.market.examination import Finding
from backtest.market.market import Market
from backtest.types import Dates

PACKAGES = ("margin-backtest", "numpy", "numba", "scipy", "pandas", "pydantic", "pyarrow")


@dataclass(frozen=True)
class FileHash:
    """One file of prices, the sha256 of its content, and how it was read."""

    name: str
    sha256: str
    read_as: str = ""


@dataclass(frozen=True)
class Splice:
    """The jump of a future on the day of a roll, which is not in its levels."""

    factor: str
    date: str
    jump: float
    reason: str


@dataclass(frozen=True)
class Doubt:
    """A finding of the examination of prices: of which days, and how many of them are scored.

    accepted : the reason why the user takes it as it is; empty where nobody has judged it.
    used : whether any of its days lies within the days of the market, those that look-backs reach
        before them included; True in manifests from before it was kept.
    """

    factor: str
    kind: str
    sentence: str
    days: tuple[str, ...]
    scored_share: float
    accepted: str = ""
    used: bool = True

    @classmethod
    def of(cls, finding: Finding, scored: Dates | None, market: Market) -> "Doubt":
        """Describe a finding; the share is of the scored days, none without any."""
        earlier = None if market.before is None else market.before.dates
        known = market.dates if earlier is None else np.concatenate([earlier, market.dates])
        days = np.asarray(finding.dates)
        used = bool(((days >= known[0]) & (days <= known[-1])).any())
        share = 0.0
        if scored is not None and len(scored):
            share = float(np.isin(scored, finding.dates).mean())
        return cls(
            finding.factor,
            finding.kind,
            finding.sentence,
            finding.days,
            share,
            finding.accepted,
            used,
        )

    @property
    def words(self) -> str:
        """The finding, the share of scored days, and the judgement where there is one."""
        words = f"{self.sentence} {self.scored_share:.1%} of scored days are touched."
        if not self.used:
            words += " It lies outside the days whose prices are used."
        return words + (f" Accepted: {self.accepted}." if self.accepted else "")


@dataclass(frozen=True)
class Prices:
    """Where prices come from, which days they cover, and which days are not among them.

    Parameters
    ----------
    source : as the market says it. factors : 'price' or 'yield' by factor.
    first, last : ISO days. dropped : days on which some factor was unknown.
    missing : sessions of the study's calendar that have no data.
    levels_sha256 : of the levels themselves. files : that were read, where a command lists them.
    findings : what the examination of the prices found doubtful.
    """

    source: str
    simulated: bool
    factors: dict[str, str]
    days: int
    first: str
    last: str
    dropped_count: int
    dropped: tuple[str, ...]
    adjusted: tuple[Splice, ...]
    missing: tuple[str, ...]
    clock: str
    levels_sha256: str
    files: tuple[FileHash, ...] = ()
    findings: tuple[Doubt, ...] = ()

    @classmethod
    def of(cls, market: Market, scored: Dates | None = None) -> "Prices":
        """Describe the prices of a market.

        scored : days, of which findings of the examination touch a share.
        """
        # Of names, days, levels and the mask of trading alone: where prices were read from may
        # differ between two machines that compute the same numbers.
        digest = hashlib.sha256()
        digest.update("|".join(market.factors).encode())
        digest.update(market.dates.astype(np.int64).tobytes())
        digest.update(market.levels.tobytes())
        if market.traded is not None:
            digest.update(market.traded.tobytes())
        if market.before is not None:
            digest.update(market.before.dates.astype(np.int64).tobytes())
            digest.update(market.before.levels.tobytes())
        return cls(
            source=market.source,
            simulated=market.simulated,
            factors=dict(zip(market.factors, market.kinds, strict=True)),
            days=len(market.dates),
            first=str(market.dates[0]),
            last=str(market.dates[-1]),
            dropped_count=len(market.dropped),
            dropped=tuple(str(day) for day in market.dropped),
            adjusted=tuple(
                Splice(a.factor, str(a.date), a.jump, a.reason)
                for a in market.adjusted
                if market.dates[0] < a.date <= market.dates[-1]
            ),
            missing=tuple(str(day) for day in market.missing),
            clock="business" if market.traded is None else "24/7",
            levels_sha256=digest.hexdigest(),
            findings=tuple(Doubt.of(finding, scored, market) for finding in market.findings),
        )

    def sentence(self) -> str:
        """Where prices come from; begins with SIMULATED where they are."""
        if self.simulated and not self.source.startswith("SIMULATED"):
            return f"SIMULATED: {self.source}"
        return self.source

    def doubts(self) -> list[tuple[str, str]]:
        """What the examination found, for a page's list of facts."""
        return [(f"found of {doubt.factor} ({doubt.kind})", doubt.words) for doubt in self.findings]

    def span(self) -> str:
        """How many margin days, from which to which."""
        return f"{self.days:,} margin days {self.first} .. {self.last}"


@dataclass(frozen=True)
class Software:
    """Versions of what computed the numbers, and the commit of a source checkout.

    commit, dirty : None where the package does not run from a checkout of its own.
    kernels : sha256 of all kernels' sources, the key of the machine code that ran; None in
        manifests from before it was kept.
    """

    versions: dict[str, str]
    commit: str | None = None
    dirty: bool | None = None
    kernels: str | None = None

    @classmethod
    def now(cls) -> "Software":
        """What is installed here."""
        return cls(dict(_versions()), *_commit(), kernels=SOURCES)

    def sentence(self) -> str:
        """Version and commit of the package; '+' marks a checkout with changes."""
        words = "margin-backtest"
        if self.versions.get("margin-backtest", "")[:1].isdigit():
            words += f" {self.versions['margin-backtest']}"
        if self.commit:
            words += f", commit {self.commit[:8]}{'+' if self.dirty else ''}"
        return words


@cache
def _versions() -> dict[str, str]:
    """Versions of Python and of packages, read once: what has been imported stays as it is."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions


def _commit() -> tuple[str | None, bool | None]:
    """Commit and dirty flag where the package runs from its own git checkout."""
    root = Path(__file__).resolve().parents[2]
    # An installed package may lie inside a user's own repository, whose commit says nothing of it.
    if not (root / ".git").exists():
        return None, None
    try:
        return _git(root, "rev-parse", "HEAD"), bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *words],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()
