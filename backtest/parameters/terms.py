"""Terms of a model: its own fields where it states them, the published ones elsewhere."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, field_validator

from backtest.parameters.files import read_as


class Terms(BaseModel):
    """Form of a parameter file whose tables hold a `value`, its mark and its source.

    A model has a field of the same name for each term that a user may change; None stands for the
    published value. A key of the file that the form does not know is refused: it would go unread.

    Examples
    --------
    >>> from strategies import Span2
    >>> Span2(weight=1.0).terms.weight, Span2(weight=1.0).terms.decay
    (1.0, 0.97)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _value(cls, term: Any) -> Any:
        return term["value"] if isinstance(term, Mapping) and "value" in term else term

    @classmethod
    def of(cls, model: Any, name: str = "") -> Self:
        """Terms of a model: of the file `name`, or of its `parameters`, under its own fields."""
        own = {field: getattr(model, field, None) for field in cls.model_fields}
        published = read_as(cls, name or model.parameters)
        return published.model_copy(update={k: v for k, v in own.items() if v is not None})
