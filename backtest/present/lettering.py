"""Type in figures: names and notes broken into lines by the measure of their letters."""

import re
import textwrap
import unicodedata
from functools import cache

FONT = "DejaVu Sans"  # comes with matplotlib: the same metrics everywhere
POINTS = 8.0  # smallest type
HINTED = 0.95  # on a screen, type is rounded to whole pixels and runs wider than its measure
LONGEST_WORD = 60  # characters of a word that no line holds, such as a path
MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
JOINERS = (0x200C, 0x200D)


def drawable(text: str) -> str:
    r"""Text in letters that the type has; each other one becomes the mark of a missing letter.

    Another font that happens to be installed would draw the figure differently on each machine.
    The tables and the page hold names whole.

    Examples
    --------
    >>> drawable("na\u00efve \U0001f600 \u66f8") == "na\u00efve \U0001f600 \ufffd"
    True
    """
    known = _letters()
    return "".join(
        c if c == "\n" or ord(c) in known else " " if c.isspace() else UNKNOWN for c in text
    )


@cache
def _letters() -> frozenset[int]:
    """Code points that the type has, bold or not, and that are seen.

    Characters that only reorder or hide others are no letters, but for the joiners that Persian
    and Indian scripts are spelt with; matplotlib's PDF writer fails on one of them (U+FEFF).
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    faces = (FontProperties(family=FONT, weight=weight) for weight in ("normal", "bold"))
    known = frozenset.intersection(*(frozenset(get_font(findfont(f)).get_charmap()) for f in faces))
    return frozenset(c for c in known if c in JOINERS or unicodedata.category(chr(c)) != "Cf")


def fold_text(text: str, *, room: float, size: float, weight: str = "normal") -> str:
    """Break text into lines no wider than `room` inches; a word that no line holds is cut.

    Examples
    --------
    >>> fold_text("one two", room=6.5, size=8.0)
    'one two'
    """
    lines = [""]
    for word in re.split(r"\s+(?!%)", drawable(text).strip()):  # a number keeps its per cent
        longer = f"{lines[-1]} {word}".strip()
        if _fits(longer, room, size=size, weight=weight):
            lines[-1] = longer
            continue
        # The word starts a new line; in an empty text it takes the place of the first line.
        fits = _fits(word, room, size=size, weight=weight)
        pieces = [word] if fits else textwrap.wrap(word, LONGEST_WORD)
        lines = [*lines, *pieces] if lines[-1] else pieces
    return "\n".join(lines)


def label_of(name: str, *, width: int = 24, lines: int = 2) -> str:
    r"""Break a name into lines of at most `width` characters, shortened where it is too long.

    matplotlib drops legend labels that begin with an underscore; a leading space keeps them.

    Examples
    --------
    >>> label_of("long BTC, long 10Y, risk-matched")
    'long BTC, long 10Y,\nrisk-matched'
    """
    name = drawable(name)
    pieces = textwrap.wrap(name, width, max_lines=lines, placeholder=" …", break_on_hyphens=False)
    text = "\n".join(pieces or [name])
    return f" {text}" if text.startswith("_") else text


def fitted_label(name: str, *, room: float, lines: int) -> str:
    r"""Break a name into lines no wider than `room` inches, by the measure of its type.

    Examples
    --------
    >>> fitted_label("long BTC, long 10Y, risk-matched", room=1.3, lines=3)
    'long BTC, long 10Y,\nrisk-matched'
    """
    # The width of letters differs, so the number of characters is lowered until the lines fit.
    label = drawable(name)
    for width in range(len(name), 4, -1):
        label = label_of(name, width=width, lines=lines)
        if all(_fits(line, room) for line in label.splitlines()):
            break
    return label


def _fits(line: str, room: float, *, size: float = POINTS, weight: str = "normal") -> bool:
    return width_of(line, size=size, weight=weight) <= room


def width_of(line: str, *, size: float = POINTS, weight: str = "normal") -> float:
    """Inches that a line of type takes on a screen, where it runs wider than its measure.

    Examples
    --------
    >>> 0.0 < width_of("A") < width_of("A, B") < 0.5
    True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    face = FontProperties(family=FONT, size=size, weight=weight)
    width = text_to_path.get_text_width_height_descent(line, face, ismath=False)[0]
    return float(width) / (HINTED * 72.0)


def points(value: float) -> str:
    """A share as signed percentage points, with a minus sign.

    Examples
    --------
    >>> points(0.0224)
    '+2.2'
    """
    return f"{100 * value:+.1f}".replace("-", MINUS)
