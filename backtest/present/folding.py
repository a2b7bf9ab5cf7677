"""Lines of a screen: text folded between words, so that a number stays whole."""

import re

from rich.cells import cell_len, chop_cells

# Where a word too long for a line is broken first: after a hyphen, a slash or an underscore.
JOINTS = re.compile(r"(?<=[-/_\\])(?=\w)")
NUMBER = re.compile(r"[-+]?[\d.,]*\d")
SPACES = re.compile(r"[ \t\r\n\f\v]+")  # but not the space that does not break a line


def fold(text: str, width: int) -> list[str]:
    """A text as lines of at most `width` columns of the screen; '27.8 %' stays on one line.

    width : of characters as a terminal counts them: a Chinese one takes two. Only what is longer
        than a line by itself is broken inside.

    Examples
    --------
    >>> fold("at least 27.8 % of margin", 14)
    ['at least', '27.8 % of', 'margin']
    >>> fold("largest_shortfall", 9), fold("", 9)
    (['largest_', 'shortfall'], [''])
    """
    lines, line = [], ""
    for word in words_of(text):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines += full
    return [*lines, line]


def words_of(text: str) -> list[str]:
    """What a line is not broken inside of: words, and a number with its sign of per cent.

    Examples
    --------
    >>> words_of("1.05 % [0.3, 2.9]")
    ['1.05 %', '[0.3,', '2.9]']
    """
    words: list[str] = []
    for word in filter(None, SPACES.split(text)):
        if word.startswith("%") and words and words[-1][-1].isdigit():
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def longest_word(text: str) -> int:
    """Columns of the screen that the longest word of a text takes."""
    return max(map(cell_len, words_of(text)), default=0)


def _pieces(word: str, width: int) -> list[str]:
    """A word in lines: broken at its joints, and anywhere where there are none."""
    if cell_len(word) <= width:
        return [word]
    lines, line = [], ""
    for piece in [word] if NUMBER.fullmatch(word) else JOINTS.split(word):
        if cell_len(line + piece) <= width:
            line += piece
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(piece, width)
        lines += full
    return [*lines, line]
