"""What every page shares: the template environment, and drawings put into the page."""

from pathlib import Path
from typing import TYPE_CHECKING

from backtest.types import ResultsError

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def environment() -> "Environment":
    """Templates beside this file; all text is escaped, and a name without a value is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def drawn(svg: Path) -> "Markup":
    """A drawing as it stands in a page.

    Written by us, with user text already escaped: the one thing that is not escaped again.

    Raises
    ------
    ResultsError : the file cannot be read.
    """
    from markupsafe import Markup

    try:
        return Markup(svg.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"cannot read the figure {str(svg)!r}: {error.strerror}.") from error
