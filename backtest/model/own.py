"""A user's own model: named 'module:Class' in a study file, imported from beside it."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backtest.model.protocol import MarginModel
from backtest.parameters.registry import field_names
from backtest.types import StudyError

MARK = ":"  # between module and class
WANTED = "give a class with a method margin(self, market, book, coverage)"


def look_in(folders: tuple[Path, ...], *tables: Mapping[str, Any]) -> None:
    """Let models that `tables` name as 'module:Class' be found in `folders`.

    They come last on Python's path, so that no file there stands in for an installed module.
    Where no table names such a model nothing is changed.
    """
    if any(True for _ in own_kinds(tables)):
        sys.path.extend(str(f) for f in folders if str(f) not in sys.path)
        importlib.invalidate_caches()


def own_kinds(tables: Any) -> Iterator[str]:
    """Every 'module:Class' that stands as a `kind` anywhere in tables.

    Examples
    --------
    >>> list(own_kinds({"kind": "siloed", "base": {"kind": "my_module:MyModel"}}))
    ['my_module:MyModel']
    """
    if isinstance(tables, Mapping):
        kind = tables.get("kind")
        if isinstance(kind, str) and MARK in kind:
            yield kind
        tables = tables.values()
    elif not isinstance(tables, (list, tuple)):
        return
    for inner in tables:
        yield from own_kinds(inner)


def own_models(table: Mapping[str, Any]) -> dict[str, type[MarginModel]]:
    """Classes of the 'module:Class' kinds of a table, by kind.

    Raises
    ------
    StudyError : no such module or class, no margin model, or a module that fails as it loads.

    Examples
    --------
    >>> own_models({"kind": "no_such_file:MyModel"})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: 'no_such_file:MyModel': there is no module 'no_such_file'; put \
no_such_file.py beside the study file.
    """
    return {kind: _imported(kind) for kind in own_kinds(table)}


def own_classes(value: Any) -> dict[str, type[MarginModel]]:
    """Classes of a model and of the models in its fields that can be imported, by kind."""
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, tuple):
        inner = list(value)
    else:
        inner = [getattr(value, name) for name in field_names(type(value))]
    found = {kind: cls for each in inner for kind, cls in own_classes(each).items()}
    cls = type(value)
    module = sys.modules.get(cls.__module__)
    named = getattr(module, cls.__qualname__, None) is cls and cls.__module__ != "__main__"
    if hasattr(cls, "margin") and named:
        found[f"{cls.__module__}{MARK}{cls.__qualname__}"] = cls
    return found


def own_files(tables: Any) -> dict[Path, Path]:
    """Files of the modules that tables name: where each lies, and its place on Python's path."""
    files = {}
    for kind in own_kinds(tables):
        module = sys.modules[_imported(kind).__module__]
        lies = Path(str(module.__file__))
        depth = module.__name__.count(".") + 1 + (lies.stem == "__init__")
        files[lies] = Path(*lies.parts[-depth:])
    return files


def own_sources(tables: Any) -> dict[str, str]:
    """sha256 of each of `own_files`, by its place on the path: code decides numbers too."""
    return {
        place.as_posix(): hashlib.sha256(lies.read_bytes()).hexdigest()
        for lies, place in own_files(tables).items()
    }


def _imported(kind: str) -> type[MarginModel]:
    module_name, _, class_name = kind.partition(MARK)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # nothing left beside studies
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise StudyError(
                f"{kind!r}: there is no module {error.name!r}; put {error.name}.py beside the "
                "study file."
            ) from error
        raise StudyError(f"{kind!r}: {module_name} cannot be imported: {error}.") from error
    except (Exception, SystemExit) as error:
        raise StudyError(
            f"{kind!r}: {module_name} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    finally:
        sys.dont_write_bytecode = written
    found: Any = getattr(module, class_name, None)
    if found is None:
        classes = [
            n for n, c in vars(module).items() if inspect.isclass(c) and hasattr(c, "margin")
        ]
        raise StudyError(
            f"{kind!r}: {module.__file__} has no {class_name!r}; margin models in it: "
            f"{', '.join(classes) or 'none'}."
        )
    try:
        inspect.signature(found.margin).bind(None, None, None, None)
    except (AttributeError, TypeError) as error:
        raise StudyError(f"{kind!r} is not a margin model; {WANTED}.") from error
    return found
