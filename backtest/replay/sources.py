"""What computes numbers: the sha256 of the code and of the user's modules, the processor."""

import hashlib
import platform
import sys
from pathlib import Path

from llvmlite.binding import get_host_cpu_name

import backtest
import strategies
from backtest.model.opened_files import installed
from backtest.model.study_code import source_that_ran

SOURCES = (".py", ".toml", ".csv")  # code, and the dated numbers that it reads


def sources_sha256() -> str:
    """sha256 of every source of the packages, which a version or a commit need not tell apart.

    Examples
    --------
    >>> len(sources_sha256())
    64
    """
    digest = hashlib.sha256()
    for package in (backtest, strategies):
        root = Path(str(package.__file__)).parent
        for file in sorted(root.rglob("*")):
            if file.suffix in SOURCES and file.is_file():
                digest.update(file.relative_to(root).as_posix().encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def processor() -> str:
    """The kind that machine code is made for here: last digits of sums differ between kinds.

    Examples
    --------
    >>> len(processor().split())
    2
    """
    return f"{platform.machine()} {get_host_cpu_name()}"


def own_modules() -> dict[str, str]:
    """sha256 of the source of each module loaded here that no package installed, by its name.

    Of code beside a study, the source that ran, whatever its file holds by now.
    """
    found = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not name.startswith("__") and file and file.endswith(".py") and not installed(file):
            sha256 = source_hash(file)
            if sha256 is not None:
                found[name] = sha256
    return found


def source_hash(file: str) -> str | None:
    """sha256 of a source, as it ran here if it lies beside a study; None where it is gone."""
    try:
        return hashlib.sha256(source_that_ran(Path(file))).hexdigest()
    except OSError:
        return None
