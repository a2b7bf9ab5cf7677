"""Write `strategies/__init__.pyi`: `python -m tests.tools.write_model_names`.

The package finds its models as it loads; a type checker does not load it, and reads this list.
"""

from operator import attrgetter

import strategies
from tests.support.places import ROOT

TARGET = ROOT / "strategies" / "__init__.pyi"
HEAD = '''\
"""The models for type checkers. Written by tests/tools/write_model_names.py."""

from backtest.model.protocol import MarginModel
'''


def model_names() -> str:
    """The stub: an import a model, in the order of modules that `ruff` keeps."""
    classes = sorted(strategies.MODELS.values(), key=attrgetter("__module__", "__name__"))
    names = "".join(f"from {c.__module__} import {c.__name__} as {c.__name__}\n" for c in classes)
    return f"{HEAD}{names}\nMODELS: dict[str, type[MarginModel]]\n__all__: list[str]\n"


if __name__ == "__main__":
    TARGET.write_text(model_names(), encoding="utf-8")
