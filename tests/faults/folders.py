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
Change = Callable[[Path], None]
Damage = Callable[[Path, np.random.Generator], None]


def finished_run(folder: Path) -> Path:
    """A results folder of the sound study, made once for all cases."""
    case = Case(
        "sound",
        "a whole run",
        ("run", "study.toml", "--out", str(folder)),
        sound_files(0),
        ACCEPT,
        stop_at_inputs=False,
        seconds=900.0,
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


def prepared(source: Path, change: Change) -> Change:
    """Put a changed copy of a results folder into the folder of a case, as `result`."""

    def prepare(folder: Path) -> None:
        shutil.copytree(source, folder / "result")
        change(folder / "result")

    return prepare


def _damaged(source: Path, name: str, damage: Damage, seed: int) -> Change:
    return prepared(source, lambda folder: damage(folder / name, np.random.default_rng(seed)))


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


def entries(table: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every entry of a manifest, two of each list."""
    items: Any = ()
    if isinstance(table, dict):
        items = table.items()
    elif isinstance(table, list):
        items = enumerate(table[:2])
    for key, value in items:
        yield (*path, key)
        yield from entries(value, (*path, key))


def with_entry(folder: Path, path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The manifest of a folder with another value of one entry; without it for an ellipsis."""
    table: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    place: Any = table
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return table


def _forged(path: tuple[Any, ...], value: Any) -> Change:
    def change(folder: Path) -> None:
        (folder / "manifest.json").write_text(json.dumps(with_entry(folder, path, value)))

    return change


def forgery_cases(seed: int, source: Path) -> Iterator[Case]:
    """Each entry of the manifest taken out, and one more value that it cannot have."""
    rng = np.random.default_rng(seed)
    for path in entries(json.loads((source / "manifest.json").read_text())):
        for value in (..., FORGERIES[int(rng.integers(len(FORGERIES)))]):
            word = "taken out" if value is ... else repr(value)
            title = f"manifest {'.'.join(map(str, path))}: {word}"
            prepare = prepared(source, _forged(path, value))
            yield Case("manifest forged", title, ("report", "result"), {}, prepare=prepare)


def folder_cases(seed: int, source: Path) -> Iterator[Case]:
    """All cases about results folders."""
    yield from damage_cases(seed, source)
    yield from forgery_cases(seed, source)
