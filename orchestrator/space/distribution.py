"""What every distribution offers, so that search methods need not know which one they hold.

The YAML form is the model: ``{loguniform: [1e-4, 1e-1], when: "..."}`` validates into one. Each maps a number
in [0, 1) onto a value by its inverse distribution function, so that all search methods share one definition
of the space.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, Strict

from orchestrator.space.values import Kind
from orchestrator.suggestions import Allowed

_Float = Annotated[float, Field(ge=-1e300, le=1e300)]
Floats = Annotated[tuple[_Float, _Float], Strict(False)]  # strict would refuse YAML's lists
"""Two numbers whose difference is finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numeric:
    """A bounded number, as other libraries want to hear of it.

    ``step`` is None for plain floats and plain ints. Where it is not, a linear scale counts from ``low`` and
    a logarithmic one takes the multiples of ``step`` within the bounds; ``Distribution.snap`` does either.
    """

    low: float
    high: float
    log: bool
    step: float | None
    integer: bool


class Distribution(BaseModel, ABC):
    """One hyperparameter: which values it takes, and how likely each is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    form: ClassVar[str]  # its key in the spec

    when: str | None = Field(
        default=None,
        min_length=1,
        description="A quoted condition on other parameters; where it does not hold, this one is left out.",
    )

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """The type of the recorded column."""

    @property
    def numeric(self) -> Numeric | None:
        """Bounds, scale and step of a bounded number; None for choices and for what has no bounds."""
        return None

    @property
    def extent(self) -> tuple[float, float] | None:
        """The least and the greatest number it can give; None for choices."""
        return None

    @abstractmethod
    def from_unit(self, u: float) -> Any:
        """The value at ``u`` in [0, 1): the inverse of the distribution function."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """Where in [0, 1] one of its values lies: what ``from_unit`` makes it of; of a stretch, the middle."""

    @abstractmethod
    def values(self) -> Sequence[Any] | None:
        """All values in order, if they are finitely many; a long sequence costs nothing until it is read."""

    @abstractmethod
    def contains(self, value: Any) -> bool:
        """Whether it can give this value, type included; an int will do for a float."""

    @abstractmethod
    def snap(self, value: Any) -> Any:
        """The value it gives that is closest: in the column's type, on a step, inside the bounds."""

    @abstractmethod
    def allowed(self, seen: Any = None) -> Allowed:
        """Its values in words, the one nearest to what was seen first."""
