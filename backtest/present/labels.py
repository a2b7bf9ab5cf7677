"""What the figures of an offset study share: their books, their footnote, their bounds in words."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backtest.present.sheet import FONT, HINTED, POINTS, label_of
from backtest.present.words import source_words, standard_words, version_words

if TYPE_CHECKING:
    from backtest.studies.closeout.study import CloseoutStudy
    from backtest.studies.offset.study import OffsetStudy

MOST_BOOKS = 4  # panels beside each other that a page holds
MINUS = "\N{MINUS SIGN}"
BOUND_WORDS = "one-sided 95 % lower bounds (stationary bootstrap of days, mean block 20)"


def ranked_books(found: "OffsetStudy | CloseoutStudy", books: Iterable[str]) -> list[str]:
    """At most four of `books`: risk-matched ones first, else in the study's order.

    In a book of equal USD one silo outweighs the other, and little can be saved either way.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> books = {"equal USD": {"usd": {}}, "matched": {"risk": {"BTC": 1.0}}}
    >>> ranked_books(SimpleNamespace(manifest={"study": {"books": books}}), books)
    ['matched', 'equal USD']
    """
    tables = found.manifest["study"]["books"]
    names = list(dict.fromkeys(books))
    return sorted(names, key=lambda name: not tables.get(name, {}).get("risk"))[:MOST_BOOKS]


def offset_footnote(found: "OffsetStudy", *notes: str, models: bool = False) -> str:
    """Join a figure's notes with what all share: source, window, n, standard, base model, seed."""
    manifest, study = found.manifest, found.manifest["study"]
    confidence, mpor = study["coverage"]["confidence"], study["coverage"]["mpor"]
    standard = standard_words(
        {
            "coverage": {
                "confidence": confidence,
                "mpor": mpor if isinstance(mpor, dict) else {"every silo": mpor},
            },
            "rebalance": study["rebalance"],
            **{key: manifest[key] for key in ("liquidation",) if key in manifest},
        }
    )
    data = manifest["data"]
    named = ""
    if models:
        kinds = {name: table["kind"] for name, table in study["models"].items()}
        shown = set(found.granted["series"])
        named = " Models: " + ", ".join(f"{n} ({k})" for n, k in kinds.items() if n in shown) + "."
    return " ".join(
        [
            *notes,
            f"Source: {source_words(manifest)}, {data['first']} to {data['last']}; scored n = "
            f"{int(found.ladder['observations'].max()):,} days; {standard}. "
            f"Base model of each silo: {manifest['base']}; seed {manifest['seed']}.{named} "
            f"{version_words(manifest)}.",
        ]
    )


def points(value: float) -> str:
    """A share as signed percentage points, with a minus sign.

    Examples
    --------
    >>> points(0.0224)
    '+2.2'
    """
    return f"{100 * value:+.1f}".replace("-", MINUS)


def fitted_label(name: str, *, room: float, lines: int) -> str:
    r"""Break a name into lines no wider than `room` inches, by the measure of its type.

    Examples
    --------
    >>> fitted_label("long BTC, long 10Y, risk-matched", room=1.3, lines=3)
    'long BTC, long 10Y,\nrisk-matched'
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    face = FontProperties(family=FONT, size=POINTS)

    def wide(line: str) -> float:
        return float(text_to_path.get_text_width_height_descent(line, face, ismath=False)[0])

    label = name
    for width in range(len(name), 4, -1):
        label = label_of(name, width=width, lines=lines)
        if max(wide(line) for line in label.splitlines()) <= HINTED * 72.0 * room:
            break
    return label
