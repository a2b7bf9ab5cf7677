"""Build the site: gather the pages, write those that code makes, run Sphinx. `make docs`."""

import shutil
import sys
from pathlib import Path

from anchors import write_anchors
from gallery import write_gallery
from pages import Pages
from parameters import write_parameters
from reference import write_reference
from sphinx.cmd.build import build_main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def build(out: Path) -> int:
    """Write the site to `out`; the exit code of Sphinx, 0 where there is no warning."""
    source = out.parent / f"{out.name}-source"
    for folder in (out, source):
        shutil.rmtree(folder, ignore_errors=True)
    Pages.of(ROOT, source).gather()
    write_reference(source / "reference")
    write_anchors(source)
    write_parameters(ROOT, source)
    write_gallery(source)
    options = ["-W", "--keep-going", "-q", "-j", "auto", "-c", str(HERE)]
    return build_main([*options, "-b", "html", str(source), str(out)])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "docs")))
