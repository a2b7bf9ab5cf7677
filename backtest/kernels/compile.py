"""The decorator of all numba kernels, their rules, and where their machine code is kept.

float64, C-contiguous, time on axis 0; results are written into `out`; no RNG object, no
validation, no strings (the Python wrapper checks once); no fastmath, because NaN has a meaning.
A `folding` kernel may add and multiply in another order than written, four days at a time, which
moves last digits only; NaN keeps its meaning there too.

Numba keeps the machine code of a kernel for as long as the kernel's own file is unchanged, and
does not look at the files of the kernels that it calls. Here the key is the content of its file
and of all files that it imports from, directly or through others: no change of any of them can
leave old code in use, and a change of one file compiles again what depends on it, and no more.
"""

import glob
import hashlib
import os
import pickle
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core.caching import FunctionCache, IndexDataCacheFile

HERE = Path(__file__).resolve().parent
KEPT = "kernels-"  # how the folders begin that hold machine code, one for each file of kernels
IMPORTED = re.compile(rb"^\s*(?:from|import) backtest\.kernels(?:\.(\w+)| import)", re.MULTILINE)
BELOW = ("compile", "types")  # every kernel depends on these


def _read_sources() -> dict[str, bytes]:
    """Contents of the kernels' sources, and of the types that they use, by name of the module."""
    files = [*sorted(HERE.glob("*.py")), HERE.parent / "types.py"]
    return {file.stem: file.read_bytes() for file in files}


def _hash_of(contents: dict[str, bytes]) -> str:
    """Sha256 over names and contents."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _needed_by(module: str, contents: dict[str, bytes]) -> dict[str, bytes]:
    """The sources that the kernels of a module depend on, its own among them."""
    needed, left = set(BELOW), [module]
    while left:
        name = left.pop()
        if name in contents and name not in needed:
            needed.add(name)
            imported = IMPORTED.findall(contents[name])
            # 'from backtest.kernels import ...' names no module that could be told: all of them.
            left += contents if b"" in imported else [found.decode() for found in imported]
    return {name: contents[name] for name in needed}


_CONTENTS = _read_sources()
SOURCES = _hash_of(_CONTENTS)


class _CheckedFile(IndexDataCacheFile):  # type: ignore[misc]
    """Files of machine code, one a signature of a kernel, each behind the sha256 of its content.

    Numba numbers the files of a kernel, and an index says which number is whose. Two processes that
    compile it for different arguments at once can take the same number: each then runs the code of
    the other. A file named after its signature is whole and right, whoever wrote it.
    """

    def save(self, key: Any, data: Any) -> None:
        """Write the code of a signature; another process may write the same at the same time."""
        self._save_data(self._name_of(key), (key, data))

    def load(self, key: Any) -> Any:
        """The code of a signature; None where there is none, or none that is whole."""
        try:
            known, data = self._load_data(self._name_of(key))
        except Exception:  # what is cut short can fail in any way
            return None
        return data if known == key else None

    def flush(self) -> None:
        """Remove the code of every signature."""
        for file in Path(self._cache_path).glob(f"{glob.escape(self._kernel)}.*.nbc"):
            file.unlink(missing_ok=True)

    @property
    def _kernel(self) -> str:
        """Name and place of the kernel, and the Python that it was compiled for."""
        return str(self._index_name).removesuffix(".nbi")

    def _name_of(self, key: Any) -> str:
        words = repr((self._version, self._source_stamp, key)).encode()
        return f"{self._kernel}.{hashlib.sha256(words).hexdigest()[:16]}.nbc"

    def _dump(self, obj: Any) -> bytes:
        content: bytes = super()._dump(obj)
        return hashlib.sha256(content).digest() + content

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as file:
            return pickle.loads(_checked(file.read()))


def _checked(content: bytes) -> bytes:
    """The content behind its sha256; an OSError if it differs."""
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise OSError("machine code that is not as it was written")
    return content[32:]


class KernelCache(FunctionCache):  # type: ignore[misc]
    """The machine code of one kernel on disk; what cannot be read there is compiled again."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        module = Path(function.__code__.co_filename).stem
        sources = _hash_of(_needed_by(module, _CONTENTS))
        folder = Path(str(self.cache_path)) / f"{KEPT}{module}-{sources[:16]}"
        if not folder.exists():
            _remove_older(folder, module)
            folder.mkdir(exist_ok=True)
        self._cache_path: str = str(folder)
        self._cache_file = _CheckedFile(self._cache_path, self._impl.filename_base, sources)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel, where the disk lets us."""
        try:
            Path(self._cache_path).mkdir(exist_ok=True)  # a newer checkout may have removed it
            super().save_overload(sig, data)
        except Exception as error:
            _say_once(f"{self._cache_path} ({getattr(error, 'strerror', None) or error})")


def _remove_older(newest: Path, module: str) -> None:
    """Machine code of other states of the sources serves nobody any more."""
    for folder in newest.parent.glob(f"{KEPT}{module}-*"):
        if folder != newest:  # another process may have made it meanwhile
            shutil.rmtree(folder, ignore_errors=True)


SAID = "MARGIN_BACKTEST_SAID_NO_CACHE"  # a variable, so that workers do not say it again


def _say_once(reason: str) -> None:
    """One line for all kernels: a run without a cache is slower at its start, and as right."""
    if SAID not in os.environ:
        os.environ[SAID] = "1"
        print(
            f"backtest: kernels are compiled anew in each run, which takes about a minute: no "
            f"folder to keep them in: {reason}; name one by NUMBA_CACHE_DIR.",
            file=sys.stderr,
        )


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call; keep the code where a folder can be written.

    Examples
    --------
    >>> @kernel
    ... def twice(x):
    ...     return 2.0 * x
    >>> twice(1.5)
    3.0
    """
    return _kept(_plain(numba.njit(nogil=True)(function)), function)


def folding(function: Callable[..., Any]) -> Any:
    """`kernel` whose sums and products may be taken in another order than written.

    Examples
    --------
    >>> @folding
    ... def total(values):
    ...     out = 0.0
    ...     for value in values:
    ...         out += value
    ...     return out
    >>> total((1.5, 2.5))
    4.0
    """
    return _kept(_plain(numba.njit(nogil=True, fastmath={"reassoc"})(function)), function)


def _plain(dispatcher: Any) -> Any:
    """The compiled function, of which no other kernel asks a version for a constant argument.

    Numba would compile one for the 0 that a counter begins with, one more for what it becomes, and
    use the second: a tenth of the time of a first run. LLVM sees constants where it inlines.
    """
    template_of = dispatcher.get_call_template

    def of_types(arguments: Any, named: Any) -> Any:
        values = {name: types.unliteral(kind) for name, kind in named.items()}
        return template_of(tuple(types.unliteral(kind) for kind in arguments), values)

    dispatcher.get_call_template = of_types
    return dispatcher


def _kept(dispatcher: Any, function: Callable[..., Any]) -> Any:
    """The compiled function, with its machine code kept on disk where a folder can be written.

    A kernel of another folder is compiled in each run: the hash says nothing of what it calls.
    """
    if Path(function.__code__.co_filename).resolve().parent != HERE:
        return dispatcher
    try:
        dispatcher._cache = KernelCache(function)
    except (OSError, RuntimeError) as error:  # RuntimeError: numba knows no writable folder
        _say_once(str(error))
    return dispatcher
