"""Docstrings of the house form as numpydoc reads them, and formulas as MathML.

The house writes `name : text`, where numpydoc expects `name : type`, also outside of a section of
parameters; and it writes what is returned as a sentence. Here every such entry becomes a name with
a text of its own, so that nothing is set as if it were a type.
"""

import inspect
import re
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml

# What sizes a sum or a bracket by hand: MathML sizes its brackets itself, and knows none of these.
SIZES = re.compile(r"\\textstyle|\\[Bb]igg?[lrm]?(?![a-zA-Z])")
HEADING = re.compile(r"^-{3,}\s*$")
ENTRY = re.compile(r"^(\*{0,2}[A-Za-z_][\w.]*(?:, \*{0,2}[A-Za-z_][\w.]*)*) : (.+)$")
BARS = re.compile(r"\|(\S(?:[^|`]*\S)?)\|")
WITHIN = re.compile(r"([.;]) ([a-z_]\w*(?:, [a-z_]\w*)*) : ")
LISTS = ("Parameters", "Attributes", "Other Parameters", "Raises", "Warns", "Yields")


def sections_of(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Pairs of a heading, '' for what stands above the first, and the lines below it."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    for number, line in enumerate(lines):
        if HEADING.match(line) and number and lines[number - 1].strip():
            heading = sections[-1][1].pop().strip()
            sections.append((heading, []))
        else:
            sections[-1][1].append(line)
    return sections


def entries_of(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines that are text, and lines of entries: a name, its text indented below it.

    An entry ends at the first line that is neither indented nor another entry.
    """
    text: list[str] = []
    entries: list[str] = []
    inside = False
    for line in lines:
        found = ENTRY.match(line)
        if found:
            inside = True
            entries += [found[1], f"    {found[2]}"]
        elif inside and line[:1] in (" ", ""):
            entries.append(f"    {line.strip()}" if line.strip() else "")
        else:
            inside = False
            text.append(line)
    return text, entries


def numpydoc_form(lines: list[str]) -> list[str]:
    """A docstring of the house form in numpydoc's."""
    out: list[str] = []
    sections = sections_of(lines)
    headings = {heading for heading, _ in sections}
    for heading, body in sections:
        if heading == "":
            text, entries = entries_of(body)
            if entries and "Parameters" not in headings:
                out += [*text, "", "Parameters", "----------", *entries, ""]
                continue
            if entries:  # a list beside the parameters: kept where it stands, as definitions
                body = definitions(body)
            out += body
            continue
        out += [heading, "-" * len(heading)]
        if heading in LISTS:
            text, entries = entries_of(body)
            out += entries + text if entries else body
        elif heading == "Returns" and not any(line[:1] == " " for line in body):
            out.append(" ".join(line.strip() for line in body if line.strip()))
            out.append("")
        else:
            out += body
    return out


def definitions(lines: list[str]) -> list[str]:
    """Entries among text as a list of definitions, each in its own place."""
    out: list[str] = []
    for line in lines:
        found = ENTRY.match(line)
        if found:
            out += (
                ["", found[1], f"    {found[2]}"]
                if out and out[-1][:1] != " "
                else [
                    found[1],
                    f"    {found[2]}",
                ]
            )
        else:
            out.append(line)
    return out


def bars_kept(lines: list[str]) -> list[str]:
    """The lines with the bars of an absolute value kept as such: |x| would name a substitution."""
    out: list[str] = []
    formula, examples = -1, False
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line.strip() and formula >= 0 and indent <= formula:
            formula = -1
        if line.strip().startswith(".. math::"):
            formula = indent
        heads = number + 1 < len(lines) and HEADING.match(lines[number + 1])
        examples = line.strip() == "Examples" if heads else examples
        is_text = formula < 0 and not examples
        out.append(BARS.sub(r"\\|\1\\|", line) if is_text else line)
    return out


def apart(lines: list[str], names: set[str]) -> list[str]:
    """Entries that share a line ('title : of it. caption : below it.'), a line each.

    names : the parameters of what is documented; nothing else begins an entry within a line.
    """

    def split(found: re.Match[str]) -> str:
        each = found[2].split(", ")
        return f"{found[1]}\n{found[2]} : " if names.issuperset(each) else found[0]

    out: list[str] = []
    for line in lines:
        if line[:1] == " " or ENTRY.match(line):
            out += WITHIN.sub(split, line).split("\n")
        else:
            out.append(line)
    return out


def parameters_of(value: Any) -> set[str]:
    """Names of the parameters of a function or a class, with the fields of a class."""
    try:
        names = set(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        names = set()
    return names | set(getattr(value, "__annotations__", ()))


def _process(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = numpydoc_form(apart(bars_kept(lines), parameters_of(obj)))


def mathml(tex: str, *, block: bool) -> str:
    """A formula of LaTeX as MathML.

    tex : sizes set by hand are left out.
    block : set on a line of its own.
    """
    return str(
        latex2mathml.tex2mathml(SIZES.sub("", tex).replace(r"\dots", r"\ldots"), as_block=block)
    )


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="math">{mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx; the docstrings before numpydoc reads them."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
