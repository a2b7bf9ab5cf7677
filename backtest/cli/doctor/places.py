"""Folders that the program writes and reads again: machine code, results, fetched prices."""

import hashlib
import time
from pathlib import Path

from backtest.cli.doctor import Check

ELSEWHERE = "set NUMBA_CACHE_DIR to a folder that can be written; until then each run compiles"
SHA256 = 32  # bytes in front of the machine code of a kernel


def kept_kernels() -> list[Check]:
    """Where compiled kernels are kept, whether it can be written, and whether all are whole."""
    from backtest.kernels.compile import KEPT, KernelCache
    from backtest.kernels.netting import netted_margin

    what = "compiled kernels"
    kept = netted_margin._cache
    if not isinstance(kept, KernelCache):  # numba's own word for no cache at all
        return [Check(what, "no folder to keep them in can be written", ELSEWHERE)]
    folder = Path(str(kept.cache_path))
    place = folder.parent if folder.name.startswith(KEPT) else folder
    reason = _refusal(place)
    if reason:
        return [Check(what, f"{place} cannot be written: {reason}", ELSEWHERE)]
    broken, files = 0, sorted(place.glob(f"{KEPT}*/*.nbc"))
    for file in files:
        content = file.read_bytes()
        broken += hashlib.sha256(content[SHA256:]).digest() != content[:SHA256]
    found = f"{len(files)} in {place}, which can be written; sha256 of {len(files) - broken} right"
    # A file that is not whole is compiled again when it is asked for: slower, never wrong.
    return [Check(what, found, f"remove {place}" if broken else "")]


def first_kernel() -> list[Check]:
    """The time that a kernel takes to its first answer, and the answer, which is known."""
    import numpy as np

    from backtest.kernels.netting import with_margin

    began = time.perf_counter()
    out = np.empty((1, 1))
    with_margin(np.array([[[20.0, 16.0]]]), 0, 0, 1, np.empty(2, np.int64), out)
    seconds = time.perf_counter() - began
    found = f"{seconds:.1f} s to its first answer, "
    found += "read from disk" if with_margin.stats.cache_hits else "compiled for it"
    wrong = f"it says {out[0, 0]}, and 36 is right: report it, with `backtest selfcheck`"
    return [Check("first kernel", found, "" if out[0, 0] == 36.0 else wrong)]


def writable(folder: Path, option: str) -> list[Check]:
    """Whether a folder can be written, or made where there is none yet."""
    from backtest.present.folder import check_writable
    from backtest.types import ResultsError

    there = "can be written" if folder.is_dir() else "not there yet; can be made"
    try:
        check_writable(folder)
    except ResultsError as error:
        reason = str(error).split(": ", 1)[-1].split(";")[0]
        mend = f"choose another with {option}, or change who may write it"
        return [Check(f"{folder}/", f"cannot be written: {reason}", mend)]
    return [Check(f"{folder}/", there)]


def fetched_prices(folder: Path) -> list[Check]:
    """Whether every fetched file is as it was fetched."""
    from backtest.data.cache import MANIFEST, Cache
    from backtest.types import BacktestError

    if not (folder / MANIFEST).exists():
        return [Check("fetched prices", f"none in {folder}/: `backtest fetch` gets them")]
    try:
        count = Cache(folder).verify()
    except BacktestError as error:
        return [Check("fetched prices", str(error).rstrip("."), "fetch them again")]
    return [Check("fetched prices", f"sha256 of {count} files in {folder}/ right")]


def _refusal(folder: Path) -> str:
    """Why no file can be made in a folder; empty where one can."""
    from tempfile import TemporaryFile

    try:
        folder.mkdir(exist_ok=True)
        with TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
