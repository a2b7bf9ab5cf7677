"""Study files: every key of every table with values that are none, and files that are no TOML."""

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel

from backtest.config.grid import BOOKS, LOOKBACK, ROOTS, SHORT
from backtest.config.schema import StudyFile
from backtest.model.protocol import MarginModel
from strategies import MODELS
from tests.faults.case import ACCEPT, REFUSE, Case
from tests.faults.prices import RUN, STUDY, sound_files

# As they stand in a TOML file. Some are right for some keys: then they are accepted.
LITERALS = (
    ["-1", "0", "1", "2.5", "nan", "inf", "-inf", "1e308", "-1e-320", "9223372036854775807"]
    + ["9" * 5000, "1" + "0" * 30, "true", '""', '"x"', '"NA"', '"' + "long " * 400 + '"', "[]"]
    + ['["x"]', "[1, 2]", "[[[[]]]]", "{}", "{ kind = [] }", "{ kind = 1 }", "{ kind = 'nothing' }"]
    + ["{ BTC = 1e6, UST10Y = nan }", "1979-05-27", "07:32:00", '"-2022-03-15"', '"20220601"']
    + ["-9223372036854775808", "[1, 'x', true, []]", "{ a = { b = { c = {} } } }"]
    + ["1979-05-27T07:32:00-08:00", "[1979-05-27]", "0o777", "1_000", "-0.0", "{ NA = 1e6 }"]
    + ['"2022"', '"2022-02-30"', '"\\u0000"', '"\\u202e\\n🚀"', "'''\n'''", "0xFF"]
)
TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ""),
    "not UTF-8": (b'name = "Caf\xe9"', "UTF-8"),
    "UTF-16": (STUDY.decode().encode("utf-16"), "UTF-8"),
    "no TOML": (b"name = small", "TOML"),
    "JSON": (b'{"name": "small"}', "TOML"),
    "arrays nested 1,000 deep": (b"name = " + b"[" * 1000 + b"]" * 1000, ""),
    "tables nested 1,000 deep": (b"[" + b".".join([b"a"] * 1000) + b"]\n", ""),
    "keys nested 1,000 deep": (b".".join([b"a"] * 1000) + b" = 1\n", ""),
    "keys nested 20,000 deep": (STUDY + b"[sizing.x]\n" + b".".join([b"a"] * 20_000) + b" = 1", ""),
    "quoted keys nested deep": (STUDY + b"x" + b" . 'a'" * 20_000 + b" = 1", ""),
    "a table nested 60 deep": (STUDY + b"[sizing.x]\nx = " + b"{a=" * 60 + b"1" + b"}" * 60, ""),
    "a list nested 60 deep": (STUDY + b"[models.m]\nx = " + b"[" * 60 + b"]" * 60, ""),
    "a key twice": (b'name = "a"\nname = "b"\n' + STUDY, "TOML"),
    "a table twice": (STUDY + b"\n[models.var]\nkind = 'historical_var'\n", "TOML"),
    "NUL bytes": (STUDY.replace(b"small", b"sm\0all"), "TOML"),
    "noise": (bytes(range(256)) * 9, ""),
    "no models": (STUDY.replace(b"[models.var]", b"[model.var]"), ""),
    "no books": (STUDY.replace(b"[books.both]", b"[book.both]"), ""),
    "5 MB of one text": (b'title = "' + b"x" * 5_000_000 + b'"', ""),
}
NAMES = [
    "NA",
    "nan",
    "null",
    "None",
    "",
    "001",
    "1e3",
    "True",
    "=1+1",
    "@SUM(A1)",
    "-5",
    "a\\tb",
    "é",
] + [
    "🚀",
    "مرحبا",
    "\u202eabc",
    "x" * 300,
    "a/b",
    "../up",
    "CON",
    "<b>bold</b>",
    "$x^2$",
    "a\\\\b",
    "%s",
]


def _tables(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """(table, key) of every entry of a study file."""
    for key, entry in model.model_fields.items():
        kinds = [entry.annotation, *get_args(entry.annotation)]
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        yield path, key
        if inner and key not in ("books", "gates"):
            yield from _tables(inner[0], f"{path}.{key}".strip("."))


def with_entry(table: str, key: str, literal: str) -> bytes:
    """The sound study with one entry added, or written over."""
    lines = STUDY.decode().strip().split("\n")
    entry, heading = f"{key} = {literal}", f"[{table}]"
    if not table:
        tables = [n for n, line in enumerate(lines) if line.startswith((f"[{key}.", f"[{key}]"))]
        lines = [line for line in lines if not line.startswith(f"{key} =")]
        if tables:  # a table of that name would be there twice
            end = next((n for n in range(tables[0] + 1, len(lines)) if lines[n][:1] == "["), None)
            del lines[tables[0] : end]
        return "\n".join([entry, *lines]).encode()
    if heading not in lines:
        return "\n".join([*lines, heading, entry]).encode()
    start = lines.index(heading) + 1
    end = next((n for n in range(start, len(lines)) if lines[n][:1] == "["), len(lines))
    kept = [line for line in lines[start:end] if not line.startswith(f"{key} =")]
    return "\n".join([*lines[:start], entry, *kept, *lines[end:]]).encode()


def entry_cases(seed: int, each: int) -> Iterator[Case]:
    """`each` literals for every key of a study file."""
    rng, base = np.random.default_rng(seed), sound_files(seed)
    for table, key in _tables(StudyFile):
        for literal in rng.choice(np.array(LITERALS, dtype=object), each, replace=False):
            text = with_entry(table, key, str(literal))
            name = f"[{table}] {key} = {str(literal)[:30]}"
            yield Case("study entry", name, RUN, base | {"study.toml": text})


def grid_cases(seed: int, each: int) -> Iterator[Case]:
    """`each` literals for every kind of axis of a grid."""
    rng, base = np.random.default_rng(seed), sound_files(seed)
    for key in (*SHORT, LOOKBACK, BOOKS, *ROOTS, "models.var.lookback", "account.call_lag"):
        for literal in rng.choice(np.array(LITERALS, dtype=object), each, replace=False):
            for values in (str(literal), f"[{literal}]"):
                files = base | {"study.toml": with_entry("grid", key, values)}
                name = f"[grid] {key} = {values[:30]}"
                yield Case("grid axis", name, ("grid", "study.toml"), files)


def model_cases(seed: int, each: int) -> Iterator[Case]:
    """`each` literals for every parameter of every margin model."""
    rng, base = np.random.default_rng(seed), sound_files(seed)
    for kind, model in MODELS.items():
        parameters: list[str] = list(_parameters(model))
        for key in [*parameters, "kind", "no_such_key"]:
            for literal in rng.choice(np.array(LITERALS, dtype=object), each, replace=False):
                entry = (
                    f"{key} = {literal}" if key == "kind" else f'kind = "{kind}"\n{key} = {literal}'
                )
                text = STUDY.replace(
                    b'kind = "historical_var"\nlookback = 60\n[books', b"%s\n[books"
                )
                text = text.replace(b"%s", entry.encode())
                name = f"{kind}: {key} = {str(literal)[:30]}"
                yield Case("model parameter", name, RUN, base | {"study.toml": text})


def _parameters(model: type[MarginModel]) -> Any:
    return getattr(model, "__dataclass_fields__", {})


def unknown_cases(seed: int) -> Iterator[Case]:
    """Keys and tables that there are not, at every place."""
    base = sound_files(seed)
    for table in dict.fromkeys(path for path, _ in _tables(StudyFile)):
        for key in ("no_such_key", '""', '"a.b"', '"\\u0000"', '"' + "k" * 3000 + '"', "é.ü"):
            key = key if key != "é.ü" else '"é".x'
            text = with_entry(table, key, "1")
            name = f"[{table}] {key[:20]} = 1"
            yield Case("study key", name, RUN, base | {"study.toml": text}, REFUSE)
    for heading in ("no_such_table", "data.no.such", "models", "books.both.usd.x", '""', "gates"):
        text = STUDY + f"\n[{heading}]\nx = 1\n".encode()
        yield Case("study key", f"[{heading}]", RUN, base | {"study.toml": text}, REFUSE)
        text = STUDY + f"\n[[{heading}]]\nx = 1\n".encode()
        yield Case("study key", f"[[{heading}]]", RUN, base | {"study.toml": text}, REFUSE)


def text_cases(seed: int) -> Iterator[Case]:
    """Files that are no study at all."""
    base = sound_files(seed)
    for name, (text, must_say) in TEXTS.items():
        files = base | {"study.toml": text}
        yield Case("study text", name, RUN, files, REFUSE, must_say)


def name_cases(seed: int) -> Iterator[Case]:
    """Names of books and models that a table, a page or a shell might misread; all are legal."""
    base = sound_files(seed)
    for name in NAMES:
        for old in (b"books.both", b"models.var"):
            room = old.split(b".")[0]
            text = STUDY.replace(old, room + b'."' + name.encode() + b'"')
            case = f"{room.decode()}: {name[:20]!r}"
            yield Case("names", case, RUN, base | {"study.toml": text})


def study_cases(seed: int) -> Iterator[Case]:
    """All cases about study files."""
    yield Case("sound", "packaged names", ("run", "study.toml"), sound_files(seed), ACCEPT)
    yield from text_cases(seed)
    yield from entry_cases(seed, 9)
    yield from grid_cases(seed, 5)
    yield from model_cases(seed, 2)
    yield from name_cases(seed)
    yield from unknown_cases(seed)
