"""What lies around a command: streams, variables, folders and limits that are not as usual."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.case import ACCEPT, REFUSE, SANE, Case, End
from tests.faults.prices import sound_files

ROOT = Path(__file__).resolve().parents[2]
SILENT = frozenset({*SANE, End.UNCLEAR})  # nothing can be printed: the code alone speaks
# `$B` is the program; a command that prints much, one that is refused, one that writes results.
LIST, REFUSED, WRITE = "$B models", "$B run no-such-é.toml", "$B power --days 40 --histories 100"
EVERY = (
    "PYTHONIOENCODING=ascii",
    "PYTHONIOENCODING=latin-1:strict",
    "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0",
    "LANG=xx_YY.KOI8-R",
    "PYTHONOPTIMIZE=2",
    "PYTHONWARNINGS=error",
    "PYTHONDEVMODE=1",
    "PYTHONHASHSEED=99",
    "PYTHONUNBUFFERED=1",
    "PYTHONSAFEPATH=1",
    "COLUMNS=1",
    "COLUMNS=0",
    "COLUMNS=-5",
    "COLUMNS=many LINES=few",
    "COLUMNS=10000",
    "TZ=:Mars/Phobos",
    "TZ=Pacific/Kiritimati",
    "TERM=dumb FORCE_COLOR=1",
    "NO_COLOR=1 TERM=",
    "HOME=/proc/nowhere",
    "HOME=/dev/null XDG_CACHE_HOME=/dev/null NUMBA_CACHE_DIR=/dev/null MPLCONFIGDIR=/dev/null",
    "TMPDIR=/nowhere",
    "env -u HOME -u PATH -u LANG",
    "ulimit -n 32;",
    "ulimit -s 512;",
    "umask 777;",
    "exec <&-;",
)
STREAMS = (">&-", "2>&-", ">&- 2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full")
STREAMS += (">/dev/full 2>/dev/full", "| head -n 1", "| true", "| (sleep 1)")


def _case(kind: str, line: str, right: frozenset[End]) -> Case:
    program = f"{shlex.quote(sys.executable)} -m backtest"
    shell = f"export PYTHONPATH={shlex.quote(str(ROOT))}; {line.replace('$B', program)}"
    return Case(kind, line, (), sound_files(0), right, shell=shell)


def surroundings_cases(seed: int) -> Iterator[Case]:
    """All cases of what lies around a command."""
    for variables in EVERY:
        separator = " " if not variables.endswith(";") else "\n"
        yield _case("variables", f"{variables}{separator}{LIST}", ACCEPT)
        yield _case("variables", f"{variables}{separator}{REFUSED}", REFUSE)
    for streams in STREAMS:
        yield _case("streams", f"{LIST} {streams}", SILENT)
        if "|" not in streams:
            silent = "2>" in streams
            yield _case("streams", f"{REFUSED} {streams}", SILENT if silent else REFUSE)
            code = "test $? = 2 || kill -9 $$"
            yield _case("streams", f"{REFUSED} {streams}\n{code}", ACCEPT)
    yield _case("folders", f"mkdir gone; cd gone; rmdir ../gone; {LIST}", REFUSE)
    yield _case("folders", f"mkdir gone; cd gone; rmdir ../gone; {WRITE}", REFUSE)
    yield _case("folders", f"cd /proc; {WRITE}", REFUSE)
    yield _case("folders", f"cd /sys; {WRITE}", REFUSE)
    yield _case("folders", f"mkdir results; chmod 0 results; {WRITE}", SANE)
    yield _case("folders", f"ulimit -f 1; {WRITE}", REFUSE)
    yield _case("folders", f"echo x > results; {WRITE}", REFUSE)
    yield _case("folders", f"ln -s results results; {WRITE}", REFUSE)
    yield _case("folders", f"ln -s /dev/full results; {WRITE}", REFUSE)
