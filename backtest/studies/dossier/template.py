"""The template of a file of fields: every statement that the reviewer's file asks persons for."""

import json

from pydantic import BaseModel

from backtest.studies.dossier.closing import ROLES
from backtest.studies.dossier.fields import (
    About,
    Answer,
    Checks,
    Control,
    DataSource,
    Judgement,
    Monitoring,
    Origin,
    OwnFinding,
)
from backtest.studies.dossier.study import Dossier, files_of

HEAD = """\
# What only persons can state of the model {model}. Copy this file, fill in the copy, and give it
# with `backtest dossier RESULT... --fields COPY`. A text left empty is printed TO BE COMPLETED; an
# unknown key is refused. Dates are YYYY-MM-DD; severity is high, medium or low; status is open,
# accepted or closed.

# The evidence that these statements are about: a file of other evidence says so in red.
made_of = {made_of}
"""


def fields_template(dossier: Dossier) -> str:
    """A file of fields without any statement, with the keys of this dossier."""
    parts = [
        HEAD.format(model=_one_line(dossier.model), made_of=json.dumps(dossier.evidence)),
        _table("model", About),
        _table("judgement", Judgement),
        _table("checks", Checks),
        _table("monitoring", Monitoring),
    ]
    parts += [_table(f"sources.{_key(name)}", DataSource) for name in files_of(dossier.studies)]
    parts += [
        _table(f"parameters.{_key(row.key)}", Origin, remark=f"{row.key} = {row.value}")
        for row in dossier.register
    ]
    parts += [
        _table(f"limitations.{_key(row.key)}", Control, remark=row.words)
        for row in dossier.limitations
    ]
    parts += [
        _table(f"findings.{_key(row.key)}", Answer, remark=f"{row.severity}: {row.sentence}")
        for row in dossier.findings
    ]
    parts += [
        "# Findings of your own, a table each:\n" + _commented("[[more_findings]]", OwnFinding),
        *(
            f'[[signatures]]\nrole = {json.dumps(role)}\nname = ""\ndate = ""\ndecision = ""\n'
            for role in ROLES
        ),
    ]
    return "\n".join(parts)


def _table(head: str, form: type[BaseModel], *, remark: str = "") -> str:
    lines = [f"# {_one_line(remark)}"] if remark else []
    lines += [f"[{head}]", *(f'{name} = ""' for name in form.model_fields)]
    return "\n".join(lines) + "\n"


def _commented(head: str, form: type[BaseModel]) -> str:
    lines = [head, *(f'{name} = ""' for name in form.model_fields)]
    return "\n".join(f"# {line}" for line in lines) + "\n"


def _key(text: str) -> str:
    """A key as TOML quotes it: a file of fields is read whatever a book is called."""
    # TOML takes no bare delete character, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    """A remark that ends where its line ends."""
    return "".join(c if c.isprintable() else " " for c in text)
