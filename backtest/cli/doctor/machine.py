"""The machine: cores, memory, the type of figures, and what the screen can show."""

import os
import sys

from backtest.cli.doctor import Check

LITTLE = 1.0  # GiB left: the packaged study takes some half of it, simulated histories more


def machine() -> list[Check]:
    """Cores that workers may use, and memory that is left."""
    from joblib import cpu_count

    from backtest.memory import GIB, memory_left

    cores, left = cpu_count(), memory_left() / GIB
    mend = "close other programs, and ask for one worker" if left < LITTLE else ""
    return [
        Check("cores", f"{cores} for --n-jobs (of {os.cpu_count()} in the machine)"),
        Check("memory", f"{left:,.1f} GiB left", mend),
    ]


def fonts() -> list[Check]:
    """Whether the type that figures are set in is there: widths of labels are measured in it."""
    from matplotlib.font_manager import findfont

    from backtest.present.lettering import FONT

    try:
        file = findfont(FONT, fallback_to_default=False)
    except ValueError:
        return [Check("fonts", f"{FONT} not found", "install matplotlib anew: it brings the type")]
    return [Check("fonts", f"{FONT} in {file}")]


def screen() -> list[Check]:
    """How wide the screen is, and whether it shows the characters of names and rules."""
    from backtest.present.screen import LEAST, Screen

    console, encoding = Screen().console, sys.stdout.encoding or "ascii"
    what = "terminal" if console.is_terminal else "no terminal: a file or a pipe"
    found = f"{what}, {console.width} columns, {encoding}"
    if encoding.lower().replace("-", "") not in {"utf8", "utf16", "utf32"}:
        mend = "set PYTHONIOENCODING=utf-8, or characters are shown as '?'"
        return [Check("screen", found, mend, optional=True)]
    narrow = console.is_terminal and console.width <= LEAST
    mend = "make it wider: tables come as lists of their cells" if narrow else ""
    return [Check("screen", found, mend, optional=True)]
