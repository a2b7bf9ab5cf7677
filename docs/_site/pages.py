"""The written pages, gathered where Sphinx reads them, with links that hold there."""

import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

# From the root of the repository, where GitHub shows them; on the site they are pages as others.
ROOT_PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
CONTENTS = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
PART = re.compile(r"<!-- from README\.md: (.+?) -->")


@dataclass(frozen=True)
class Pages:
    """The pages of a repository, and where each stands among the sources of the site.

    Parameters
    ----------
    root : of the repository. source : of the site.
    places : file of the repository -> file of the site.
    """

    root: Path
    source: Path
    places: dict[Path, Path]

    @classmethod
    def of(cls, root: Path, source: Path) -> "Pages":
        """All pages and pictures of docs/, without the templates and the machinery of the site."""
        docs = root / "docs"
        found = [p for p in sorted(docs.rglob("*")) if p.suffix in (".md", ".svg", ".png")]
        places = {p: source / p.relative_to(docs) for p in found if "_site" not in p.parts}
        return cls(root, source, places | {root / name: source / name for name in ROOT_PAGES})

    def gather(self) -> None:
        """Write all of them to the source, links and parts of the README resolved."""
        for page, place in self.places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            if page.suffix == ".md":
                text = self.relinked(page.read_text(encoding="utf-8"), page, place)
                for part in PART.findall(text):
                    words = self.of_readme(part, place)
                    text = text.replace(f"<!-- from README.md: {part} -->", words)
                text = text.replace("<!-- packaged studies -->", self.packaged_studies())
                if page.name in ("README.md", "index.md"):
                    text += self.unnamed_beside(page, text)
                place.write_text(text, encoding="utf-8")
            else:
                shutil.copyfile(page, place)

    def of_readme(self, name: str, place: Path) -> str:
        """What the README has between the marks of this name, as it stands on another page."""
        readme = self.root / "README.md"
        parts = readme.read_text(encoding="utf-8").split(f"<!-- {name} -->")
        if len(parts) != 2:
            raise SystemExit(f"README.md has no part {name}.")
        return self.relinked(parts[1].split(f"<!-- end of {name} -->")[0], readme, place)

    def packaged_studies(self) -> str:
        """A table of the studies that come with the package, from their files."""
        lines = ["| packaged study | its question |", "|---|---|"]
        for file in sorted((self.root / "backtest" / "config" / "studies").glob("*.toml")):
            study = tomllib.loads(file.read_text(encoding="utf-8"))
            lines.append(f"| `{study['name']}` | {study['title']} |")
        return "\n".join(lines)

    def unnamed_beside(self, page: Path, text: str) -> str:
        """Contents of the pages of a folder that the contents of its first page do not name."""
        named = {line for part in CONTENTS.findall(text) for line in part.splitlines()}
        beside = (p for p in self.places if p.parent == page.parent and p.suffix == ".md")
        names = sorted({p.stem for p in beside if p != page} - named)
        return "\n".join(["", "```{toctree}", ":hidden:", "", *names, "```", ""]) if names else ""

    def relinked(self, text: str, page: Path, place: Path) -> str:
        """The text of `page` with each link as it is from `place`.

        What is no page of the site, a template or a source file, is named and not linked.

        Raises
        ------
        SystemExit : a link leads nowhere.
        """

        def link(found: re.Match[str]) -> str:
            mark, words, to, part = found.groups()
            target = (page.parent / to).resolve()
            if target in self.places:
                there = self.places[target]
            elif target.exists():
                return f"{words} (`{target.relative_to(self.root)}`)"
            else:
                raise SystemExit(f"{page.relative_to(self.root)}: {to} is not there to link to.")
            return f"{mark}[{words}]({os.path.relpath(there, place.parent)}{part or ''})"

        return LINK.sub(link, text)
