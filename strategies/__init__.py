"""Candidate margin models, one family per file, and `MODELS`: their classes by name in study files.

A file of this folder needs no entry here: `@model(kind=...)` registers each of its classes.
"""

from importlib import import_module
from pkgutil import walk_packages

from backtest.model.protocol import KINDS, MarginModel

for _module in walk_packages(__path__, f"{__name__}."):
    import_module(_module.name)

MODELS: dict[str, type[MarginModel]] = {
    kind: cls for kind, cls in sorted(KINDS.items()) if cls.__module__.startswith(f"{__name__}.")
}
_BY_NAME = {cls.__name__: cls for cls in MODELS.values()}
globals().update(_BY_NAME)
__all__ = ["MODELS", *sorted(_BY_NAME)]
