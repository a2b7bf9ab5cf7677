"""Models of users: named 'module:Class' in a study file, imported from the folder beside it."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from backtest.model.guard import contained, time_limit
from backtest.model.opened_files import OpenedFile, note_opened, recording, watched
from backtest.model.protocol import MarginModel
from backtest.model.study_code import import_from, source_that_ran
from backtest.parameters.registry import field_names
from backtest.types import StudyError, shown

MARK = ":"  # between module and class
_opened_at_import: dict[str, set[OpenedFile]] = {}  # by module: Python imports each once
ADVICE = "give a class with a method margin(self, market, book, coverage)"


def make_importable(folders: tuple[Path, ...], *tables: Mapping[str, Any]) -> None:
    """Let Python import from `folders` the models that `tables` name as 'module:Class'.

    Nothing is changed where no table names such a model.
    """
    if any(True for _ in user_kinds(tables)):
        import_from(tuple(dict.fromkeys(map(str, folders))))


def user_kinds(tables: Any) -> Iterator[str]:
    """Every `kind` of the form 'module:Class' anywhere in tables.

    Examples
    --------
    >>> list(user_kinds({"kind": "siloed", "base": {"kind": "my_module:MyModel"}}))
    ['my_module:MyModel']
    """
    if isinstance(tables, Mapping):
        kind = tables.get("kind")
        if isinstance(kind, str) and MARK in kind:
            yield kind
        tables = tables.values()
    elif not isinstance(tables, (list, tuple)):
        return
    for inner_value in tables:
        yield from user_kinds(inner_value)


def user_models(table: Mapping[str, Any]) -> dict[str, type[MarginModel]]:
    """Classes of the 'module:Class' kinds of a table, by kind.

    Raises
    ------
    StudyError : no such module or class, no margin model, or a module that fails as it loads.

    Examples
    --------
    >>> user_models({"kind": "no_such_file:MyModel"})
    Traceback (most recent call last):
    ...
    backtest.types.StudyError: 'no_such_file:MyModel': there is no module 'no_such_file'; put \
no_such_file.py beside the study file.
    """
    return {kind: _imported(kind) for kind in user_kinds(table)}


def user_classes(value: Any) -> dict[str, type[MarginModel]]:
    """Classes of a model and of the models in its fields that can be imported, by kind."""
    if isinstance(value, Mapping):
        inner_values = list(value.values())
    elif isinstance(value, tuple):
        inner_values = list(value)
    else:
        inner_values = [getattr(value, name) for name in field_names(type(value))]
    classes = {
        kind: cls for inner_value in inner_values for kind, cls in user_classes(inner_value).items()
    }
    cls = type(value)
    module = sys.modules.get(cls.__module__)
    can_import = getattr(module, cls.__qualname__, None) is cls and cls.__module__ != "__main__"
    if hasattr(cls, "margin") and can_import:
        classes[f"{cls.__module__}{MARK}{cls.__qualname__}"] = cls
    return classes


def user_files(tables: Any) -> dict[Path, Path]:
    """Source files of the modules that tables name, and the path of each below Python's path."""
    files = {}
    for kind in user_kinds(tables):
        module = sys.modules[_imported(kind).__module__]
        source_file = Path(str(module.__file__))
        depth = module.__name__.count(".") + 1 + (source_file.stem == "__init__")
        files[source_file] = Path(*source_file.parts[-depth:])
    return files


def user_file_hashes(tables: Any) -> dict[str, str]:
    """sha256 of each of `user_files`, by its path: a change of code changes numbers too."""
    return {
        place.as_posix(): hashlib.sha256(source_that_ran(source_file)).hexdigest()
        for source_file, place in user_files(tables).items()
    }


def _imported(kind: str) -> type[MarginModel]:
    module_name, _, class_name = kind.partition(MARK)
    opened: set[OpenedFile] = set()
    try:
        with recording(opened), contained(), time_limit(f"the import of {module_name}"), watched():
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise StudyError(
                f"{kind!r}: there is no module {error.name!r}; put {error.name}.py beside the "
                "study file."
            ) from error
        raise StudyError(f"{kind!r}: {module_name} cannot be imported: {error}.") from error
    except StudyError as error:
        raise StudyError(f"{kind!r}: {error}") from error
    except Exception as error:
        raise StudyError(
            f"{kind!r}: {module_name} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    note_opened(_opened_at_import.setdefault(module_name, opened))
    return _model_class(kind, module, class_name)


def _model_class(kind: str, module: Any, class_name: str) -> type[MarginModel]:
    """The class of that name, with a method that takes what margins are asked with."""
    if not isinstance(module, ModuleType):
        raise StudyError(f"{kind!r}: the file replaces its module by {shown(module)}; {ADVICE}.")
    try:
        with contained():
            model_class: Any = getattr(module, class_name, None)
            if model_class is not None:
                inspect.signature(model_class.margin).bind(None, None, None, None)
                return model_class
    except Exception as error:
        raise StudyError(f"{kind!r} is not a margin model; {ADVICE}.") from error
    classes = [n for n, c in vars(module).items() if inspect.isclass(c) and hasattr(c, "margin")]
    file = getattr(module, "__file__", None) or module.__name__
    raise StudyError(
        f"{kind!r}: {file} has no {class_name!r}; margin models in it: "
        f"{', '.join(classes) or 'none'}."
    )
