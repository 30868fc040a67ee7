"""Loads what a spec names as its search beyond the built-in methods: a sampler of Optuna, or a class of the user."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import SearchMethodError, TrainableError
from orchestrator.spec.load_trainable import import_user
from orchestrator.suggestions import Allowed, did_you_mean

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

_NOT_IN_YAML = ("Callable", "Base", "FrozenTrial")
"""Words in the types of options that a spec cannot give."""


_NOT_BY_THEMSELVES = ("GridSampler", "BruteForceSampler", "PartialFixedSampler")
"""Samplers that end Optuna's own loop, for which we have the method grid, or that wrap another sampler."""


def samplers() -> dict[str, type[BaseSampler]]:
    """The samplers of ``optuna.samplers`` that propose by themselves, by name."""
    from optuna import samplers

    return {
        name: each
        for name, each in vars(samplers).items()
        if inspect.isclass(each)
        and issubclass(each, samplers.BaseSampler)
        and not name.startswith("Base")
        and name not in _NOT_BY_THEMSELVES
    }


def options_of(sampler: type[BaseSampler]) -> list[str]:
    """The keyword arguments of a sampler that a spec can give."""
    parameters = inspect.signature(sampler).parameters.values()
    return [
        each.name
        for each in parameters
        if each.name != "seed" and not any(word in str(each.annotation) for word in _NOT_IN_YAML)
    ]


def make_sampler(name: str, options: Mapping[str, Any], seed: int) -> BaseSampler:
    """A sampler of Optuna.

    Raises:
        SearchMethodError: There is no such sampler, it refuses its options, or it needs a package that is missing.
    """
    import warnings

    from optuna.exceptions import ExperimentalWarning

    known = samplers()
    if name not in known:
        raise SearchMethodError(f"optuna has no sampler {name!r}", value=name, allowed=did_you_mean(name, known))
    sampler = known[name]
    seeded = {"seed": seed} if "seed" in inspect.signature(sampler).parameters else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return sampler(**options, **seeded)
        except ImportError as error:
            raise SearchMethodError(f"{name} needs a package that is missing: {error}", value=name) from error
        except Exception as error:
            given = ", ".join(f"{key}={value!r}" for key, value in options.items())
            problem = f"{name}({given}) refuses: {' '.join(str(error).split())}"
            raise SearchMethodError(problem, value=dict(options)) from error


def missing_package(sampler: str) -> str:
    """The package that a sampler needs and that is not installed; "" if none is missing."""
    from importlib.util import find_spec

    needed = {"CmaEsSampler": ("cmaes",), "GPSampler": ("torch", "scipy"), "QMCSampler": ("scipy",)}
    return next((name for name in needed.get(sampler, ()) if find_spec(name) is None), "")


def own_method(reference: str, base: Path) -> type:
    """The class that ``search.method`` names as ``module:Class`` or ``file.py:Class``.

    Args:
        reference: The value of `search.method`.
        base: The spec's directory: paths are relative to it.

    Raises:
        SearchMethodError: The class does not exist, cannot be imported, or lacks ``ask`` or ``tell``.
    """
    where, _, attribute = reference.partition(":")
    try:
        module = import_user(where, base)
    except TrainableError as error:
        raise SearchMethodError(error.problem, value=error.value, allowed=error.allowed) from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        classes = [name for name, each in vars(module).items() if getattr(each, "__module__", "") == module.__name__]
        allowed: Allowed = did_you_mean(attribute, classes)
        raise SearchMethodError(f"{where} has no class {attribute!r}", value=attribute, allowed=allowed)
    lacking = [name for name in ("ask", "tell") if not callable(getattr(found, name, None))]
    if lacking:
        allowed = "ask(number) and tell(number, config, value, step, outcome)"
        raise SearchMethodError(f"{reference} has no {' and no '.join(lacking)}", value=reference, allowed=allowed)
    return found
