"""What ``tune.with_parameters`` and ``tune.with_resources`` have put around a trainable."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from cluster.errors import UnsupportedRayError
from cluster.ray_private.names import ASKED_RESOURCES
from cluster.ray_private.versions import REQUIREMENT, SUPPORTED, installed


def unwrapped(trainable: Any) -> Any:
    """A trainable with its ``tune.with_parameters`` bound to it as plain values; any other one as it is.

    Ray keeps the values in a registry of the process that wrapped it, which a process of another kind cannot ask.

    Raises:
        UnsupportedRayError: The installed Ray keeps them in another way.
    """
    if not _is_wrapped(trainable):
        return trainable
    if isinstance(trainable, type):
        return _bound_class(trainable.__mro__[1], _values(trainable.__dict__["setup"]))
    bound = functools.partial(_closure(trainable)["trainable"], **_values(trainable))
    functools.update_wrapper(bound, _closure(trainable)["trainable"])
    if hasattr(trainable, "_resources"):
        bound._resources = trainable._resources  # type: ignore[attr-defined]
    return bound


def asked_resources(trainable: Any) -> Mapping[str, float] | None:
    """The resources of ``tune.with_resources``, by Ray's names: CPU, GPU, memory, custom ones. None: there are none.

    Raises:
        ValueError: They are of several processes, or depend on the configuration.
    """
    if isinstance(trainable, type):
        request = trainable.__dict__.get("default_resource_request")
        asked = None if request is None else request.__get__(None, trainable)({})
    else:
        asked = getattr(trainable, "_resources", None)
        if asked is not None and ASKED_RESOURCES.find() is None:
            return None
    if asked is None:
        return None
    if not hasattr(asked, "bundles"):
        raise ValueError("they depend on the configuration")
    if len(asked.bundles) != 1:
        raise ValueError(f"they are {len(asked.bundles)} bundles, for several processes")
    return dict(asked.bundles[0])


def _is_wrapped(trainable: Any) -> bool:
    wrapper = trainable.__dict__.get("setup") if isinstance(trainable, type) else trainable
    qualname, module = getattr(wrapper, "__qualname__", ""), getattr(wrapper, "__module__", None) or ""
    return qualname.startswith("with_parameters.") and module.partition(".")[0] == "ray"


def _values(wrapper: Any) -> dict[str, Any]:
    names = _closure(wrapper)
    registry, prefix = names["parameter_registry"], names["prefix"]
    return {name: registry.get(f"{prefix}{name}") for name in names["keys"]}


def _closure(wrapper: Any) -> Mapping[str, Any]:
    names = inspect.getclosurevars(wrapper).nonlocals
    if not {"parameter_registry", "prefix", "keys"} <= names.keys():
        raise UnsupportedRayError(
            f"Ray {installed()} is installed, which does not allow taking over the values of tune.with_parameters;"
            f" supported is Ray {SUPPORTED}: pip install '{REQUIREMENT}'"
        )
    return names


def _bound_class(trainable: type, values: Mapping[str, Any]) -> type:
    def setup(self: Any, config: dict[str, Any]) -> None:
        trainable.setup(self, config, **values)  # type: ignore[attr-defined]

    return type(trainable.__name__, (trainable,), {"setup": setup, "__module__": trainable.__module__})
