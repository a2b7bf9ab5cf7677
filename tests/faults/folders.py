"""Results folders that somebody else sent: cut short, changed, forged."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.case import ACCEPT, SANE, Case, End
from tests.faults.prices import sound_files
from tests.faults.runner import outcome

NOT_ACCEPTED = SANE - {End.ACCEPTED}
FORGERIES: tuple[Any, ...] = (None, -1, 1e308, "", "x", [], {}, [[]], True, "../../etc/passwd")
Damage = Callable[[Path, np.random.Generator], None]


def finished_run(folder: Path) -> Path:
    """A results folder of the sound study, made once for all cases."""
    out: list[Path] = []

    def keep(work: Path) -> None:
        out.append(work)

    case = Case(
        "sound",
        "a whole run",
        ("run", "study.toml", "--out", str(folder)),
        sound_files(0),
        ACCEPT,
        stop_at_inputs=False,
        seconds=900.0,
        prepare=keep,
    )
    done = outcome(case)
    if not done.is_right:
        raise RuntimeError(f"the sound study did not run: {done.stderr}")
    [result] = [path for path in folder.iterdir() if path.is_dir()]
    return result


def _flip(file: Path, rng: np.random.Generator) -> None:
    content = bytearray(file.read_bytes())
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    file.write_bytes(content)


def _as_folder(file: Path, rng: np.random.Generator) -> None:
    file.unlink()
    file.mkdir()


DAMAGES: dict[str, Damage] = {
    "deleted": lambda file, rng: file.unlink(),
    "emptied": lambda file, rng: file.write_bytes(b"") and None,
    "cut in half": lambda file, rng: (
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]) and None
    ),
    "one bit flipped": _flip,
    "a line added": lambda file, rng: file.write_bytes(file.read_bytes() + b"\n1,2,3\n") and None,
    "a folder": _as_folder,
}


def _damaged(source: Path, name: str, damage: Damage, seed: int) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        shutil.copytree(source, folder / "result")
        damage(folder / "result" / name, np.random.default_rng(seed))

    return prepare


def damage_cases(seed: int, source: Path) -> Iterator[Case]:
    """Each sealed file damaged in each way, then read by the commands that read it."""
    sealed = json.loads((source / "manifest.json").read_text())["files"]
    names = ["manifest.json", "study.toml", *(n for n in sealed if not n.startswith("figures/"))]
    for name in dict.fromkeys(names):
        if not (source / name).is_file():
            continue
        for number, (word, damage) in enumerate(DAMAGES.items()):
            prepare = _damaged(source, name, damage, seed + number)
            for arguments in (("report", "result"), ("compare", "result", "result")):
                title = f"{arguments[0]}: {name} {word}"
                yield Case("folder damaged", title, arguments, {}, NOT_ACCEPTED, prepare=prepare)


def _entries(table: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(table, dict):
        items = table.items()
    elif isinstance(table, list):
        items = enumerate(table[:2])
    for key, value in items:
        yield (*path, key)
        yield from _entries(value, (*path, key))


def _forged(source: Path, path: tuple[Any, ...], value: Any) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        shutil.copytree(source, folder / "result")
        manifest = folder / "result" / "manifest.json"
        table = json.loads(manifest.read_text())
        place = table
        for key in path[:-1]:
            place = place[key]
        if value is ...:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        manifest.write_text(json.dumps(table))

    return prepare


def forgery_cases(seed: int, source: Path) -> Iterator[Case]:
    """Each entry of the manifest taken out, and one more value that it cannot have."""
    rng = np.random.default_rng(seed)
    for path in _entries(json.loads((source / "manifest.json").read_text())):
        for value in (..., FORGERIES[int(rng.integers(len(FORGERIES)))]):
            word = "taken out" if value is ... else repr(value)
            title = f"manifest {'.'.join(map(str, path))}: {word}"
            prepare = _forged(source, path, value)
            yield Case("manifest forged", title, ("report", "result"), {}, prepare=prepare)


def folder_cases(seed: int, source: Path) -> Iterator[Case]:
    """All cases about results folders."""
    yield from damage_cases(seed, source)
    yield from forgery_cases(seed, source)
