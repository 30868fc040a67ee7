"""A recorded spec: as this version reads it, whatever version has written it, and what its trials were given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.errors import DamagedError
from orchestrator.space.values import Config
from orchestrator.spec.model import Spec, spanned
from orchestrator.spec.nested_names import flat


def with_dotted_names(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with the names that its records have.

    A mapping in ``fixed`` was one value before there were dotted names, and is nested values now. In a listed
    configuration it was one value, too, and stays one, because it has a column: that is said by a space.
    """
    spec = {**recorded, "fixed": flat(recorded.get("fixed", {}))}
    configs = recorded.get("search", {}).get("configs")
    listed = configs if isinstance(configs, list) and all(isinstance(each, Mapping) for each in configs) else []
    if not recorded.get("space") and any(isinstance(value, Mapping) for each in listed for value in each.values()):
        spec["space"] = {
            name: choice.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, choice in spanned(listed).items()
        }
    return spec


def given_values(recorded: Mapping[str, Any]) -> Callable[[Config], Config]:
    """A function from a trial's configuration to what its trainable was given: fixed, searched and derived values.

    Raises:
        DamagedError: The spec derives values in a way that no spec could.
    """
    if not recorded.get("derived"):
        fixed = recorded.get("fixed", {})
        return lambda config: {**fixed, **config}
    try:
        return Spec.model_validate(recorded).parameter_space().given
    except ValueError as error:
        raise DamagedError(f"the recorded spec is damaged: {error}") from error
