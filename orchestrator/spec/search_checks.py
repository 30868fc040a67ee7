"""Checks the search method of a spec: a sampler of Optuna and its options, or a class of the user."""

from __future__ import annotations

from orchestrator.errors import SearchMethodError
from orchestrator.spec.load_search import make_sampler, missing_package, options_of, own_method, samplers
from orchestrator.spec.partial_spec import PartialSpec
from orchestrator.spec.sections import DO_NOT_LEARN
from orchestrator.suggestions import did_you_mean


def check_search_settings(partial: PartialSpec) -> None:
    """Add a mistake for settings that the search method does not take, without loading anything."""
    search, document = partial.spec.search, partial.document
    if search.method == "optuna" and search.sampler is None:
        document.add(("search",), "method optuna has no sampler", "as in {method: optuna, sampler: GPSampler}")
    if search.method != "optuna" and search.sampler is not None:
        document.add(("search", "sampler"), f"method {search.method} takes no sampler", "only optuna does")
    if search.options and search.method != "optuna" and not search.is_own:
        allowed = "only optuna and a class of your own do"
        document.add(("search", "options"), f"method {search.method} takes no options", allowed)
    if search.earlier and search.method in DO_NOT_LEARN:
        allowed = "leave it out, or use a method that learns"
        document.add(("search", "from"), f"method {search.method} does not learn from earlier sweeps", allowed)


def check_search_method(partial: PartialSpec) -> None:
    """Load a sampler of Optuna or a class of the user, and add a mistake if that fails."""
    if not partial.is_valid("search"):
        return
    search = partial.spec.search
    if search.is_own:
        try:
            own_method(search.method, partial.base)
        except SearchMethodError as error:
            partial.document.add(("search", "method"), error.problem, error.allowed)
    elif search.method == "optuna" and search.sampler is not None:
        _check_sampler(partial, search.sampler)


def _check_sampler(partial: PartialSpec, name: str) -> None:
    document, options = partial.document, partial.spec.search.options
    known = samplers()
    if name not in known:
        document.add(("search", "sampler"), f"optuna has no sampler {name!r}", did_you_mean(name, known))
        return
    missing = missing_package(name)
    if missing:
        document.add(("search", "sampler"), f"{name} needs the package {missing}", f"pip install {missing}")
        return
    allowed = options_of(known[name])
    strange = [option for option in options if option not in allowed]
    for option in strange:
        document.add(("search", "options", option), f"{name} has no option {option!r}", did_you_mean(option, allowed))
    if not strange:
        try:
            make_sampler(name, options, seed=0)
        except SearchMethodError as error:
            document.add(("search", "options"), error.problem, error.allowed)
