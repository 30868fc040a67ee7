"""The interface of all distributions, so that search methods need not know which one they use.

The models follow the YAML form: ``{loguniform: [1e-4, 1e-1], when: "..."}`` validates into one. Each distribution maps
a number in [0, 1) to a value by its inverse distribution function, so that all search methods share one definition of
the space.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, Strict

from orchestrator.formatting import shown
from orchestrator.space.values import Kind, Value, canonical_json
from orchestrator.suggestions import Allowed

_Float = Annotated[float, Field(ge=-1e300, le=1e300)]
Floats = Annotated[tuple[_Float, _Float], Strict(False)]  # strict mode would refuse YAML's lists
"""Two numbers whose difference is finite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numeric:
    """A bounded number in the terms of other libraries.

    ``step`` is None for plain floats and ints. Otherwise the values are ``low``, ``low + step``, … on a linear scale,
    and the multiples of ``step`` within the bounds on a logarithmic one; ``Distribution.snap`` handles both.
    """

    low: float
    high: float
    log: bool
    step: float | None
    integer: bool


class Distribution(BaseModel, ABC):
    """The distribution of one hyperparameter: its possible values, and how likely they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    form: ClassVar[str]  # its key in the spec

    when: str | None = Field(
        default=None,
        min_length=1,
        description="A quoted condition on other parameters; configurations that do not meet it omit this parameter.",
    )
    prior: Value | None = Field(
        default=None,
        description="Your guess of a good value: a search that learns begins there, and looks around it more often.",
    )

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """The type of the recorded column."""

    @property
    def numeric(self) -> Numeric | None:
        """Bounds, scale and step of a bounded number; None for choices and for unbounded numbers."""
        return None

    @property
    def extent(self) -> tuple[float, float] | None:
        """The smallest and the largest possible value; None for values that are not numbers."""
        return None

    @abstractmethod
    def from_unit(self, u: float) -> Any:
        """The value at ``u`` in [0, 1): the inverse of the distribution function."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """The point in [0, 1] that ``from_unit`` maps to the value; the middle if there are many."""

    @abstractmethod
    def values(self) -> Sequence[Any] | None:
        """All values in order, None if there are infinitely many. Long sequences are computed on access."""

    @abstractmethod
    def contains(self, value: Any) -> bool:
        """Whether this is a possible value, of the right type; an int counts as a float."""

    @abstractmethod
    def snap(self, value: Any) -> Any:
        """The closest possible value: of the column's type, on a step, within the bounds."""

    def draws_as(self, other: Distribution) -> bool:
        """Whether another distribution has the same values, equally likely."""
        return canonical_json(self._plain()) == canonical_json(other._plain())

    def written(self) -> str:
        """The distribution as in a spec, without conditions and guesses: ``loguniform: [0.0001, 0.1]``."""
        return ", ".join(f"{key}: {shown(value)}" for key, value in self._plain().items())

    def _plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"when", "prior", "ordered"})

    @abstractmethod
    def allowed(self, seen: Any = None) -> Allowed:
        """The possible values in words, with the one nearest to ``seen``."""
