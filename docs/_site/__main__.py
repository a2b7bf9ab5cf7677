"""Build the site: gather the pages, write those that code makes, run Sphinx. `make docs`."""

import re
import shutil
import sys
from pathlib import Path

from gallery import write_gallery
from pages import Pages
from parameters import write_parameters
from reference import write_reference
from selfcheck import write_selfcheck
from sphinx.cmd.build import build_main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WIDE = re.compile(r'<(pre(?=>)|div(?= class="(?:table-wrapper|math)))')


def build(out: Path) -> int:
    """Write the site to `out`; the exit code of Sphinx, 0 where there is no warning."""
    source = out.parent / f"{out.name}-source"
    for folder in (out, source):
        shutil.rmtree(folder, ignore_errors=True)
    Pages.of(ROOT, source).gather()
    write_reference(source / "reference")
    write_selfcheck(source)
    write_parameters(ROOT, source)
    write_gallery(source)
    options = ["-W", "--keep-going", "-q", "-j", "auto", "-c", str(HERE)]
    ended = build_main([*options, "-b", "html", str(source), str(out)])
    for page in out.rglob("*.html"):
        page.write_text(usable(page.read_text(encoding="utf-8")), encoding="utf-8")
    return ended


def usable(page: str) -> str:
    """The page with what the theme leaves out for readers without eyes or without a mouse.

    A heading of the contents gets a level; a wide table, formula or piece of code can be reached
    by the keyboard, and then scrolled.
    """
    page = page.replace('role="heading">', 'role="heading" aria-level="2">')
    return WIDE.sub(r'<\1 tabindex="0"', page)


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "docs")))
