"""The page of rulebook numbers: each parameter file and each part of one, with date and mark."""

import tomllib
from pathlib import Path
from typing import Any

from backtest.anchors.page import escaped

OPENING = """\
# Numbers from rulebooks

Every published number that a model uses is in a file of `strategies/parameters`, with its source: a
folder is a rule, a file a version of it, in force from one day to another ([rules](rules.md)).
*Verified*: read in the text that is named, or in a second source. **Not verified**: remembered or
assumed; a model that rests on one is marked † wherever its results are shown. `backtest models`
says which model uses which file. Where a file is verified only in parts, each part has its own row.

| file | part | in force | mark | how | source |
|---|---|---|---|---|---|
"""


def write_parameters(root: Path, source: Path) -> None:
    """Write parameters.md from the files of the package."""
    folder = root / "strategies" / "parameters"
    lines: list[str] = []
    for file in sorted(folder.rglob("*.toml")):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        name = str(file.relative_to(folder).with_suffix(""))
        for part, value in parts_of(table):
            days = f"{table['in_force_from']} to {table.get('in_force_to', 'open')}"
            how = f"{value.get('how', table['how'])} {value.get('verified_on', '')}".strip()
            words = ". ".join(str(value[key]) for key in ("title", "source") if key in value)
            cells = (f"`{name}`", escaped(part), days, mark_of(value), how, escaped(words))
            lines.append(f"| {' | '.join(cells)} |")
    (source / "parameters.md").write_text(OPENING + "\n".join(lines) + "\n", encoding="utf-8")


def parts_of(table: dict[str, Any], name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The table, and the tables in it that have a mark of their own, by name."""
    parts = [(name, table)] if "verified" in table else []
    for key, value in table.items():
        if isinstance(value, dict):
            parts += parts_of(value, f"{name}.{key}" if name else key)
    return parts


def mark_of(table: dict[str, Any]) -> str:
    """'verified', or not, or only in parts."""
    if not table["verified"]:
        return "**not verified**"
    marks = [value["verified"] for _, value in parts_of(table)]
    return "verified" if all(marks) else "verified, but for parts below"
