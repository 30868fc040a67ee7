"""Reads specs and single configurations into values, or raises all their mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import Mistake, Place, SpecError, TrainableError
from orchestrator.expressions.expression import EvaluationError
from orchestrator.space.space import Space
from orchestrator.space.values import Config
from orchestrator.spec.checks import check_meaning, check_scheduler
from orchestrator.spec.csv_configs import read_csv_configs
from orchestrator.spec.declaration_checks import check_declared
from orchestrator.spec.model import Spec
from orchestrator.spec.overrides import apply_overrides
from orchestrator.spec.partial_spec import PartialSpec, without_mistakes
from orchestrator.spec.search_checks import check_search_method
from orchestrator.yaml.document import Document, from_mapping
from orchestrator.yaml.reader import from_yaml
from trainables.contract import Declaration

MAX_BYTES = 2_000_000

Resolve = Callable[[str, Path], Declaration | None]
"""Gives a trainable's declaration from its reference and the spec's directory; None if it declares nothing."""


def read_spec(path: Path, *, overrides: Sequence[str] = (), resolve: Resolve | None = None) -> Spec:
    """Read a spec file.

    Args:
        path: The YAML file. Paths in it are relative to its directory.
        overrides: ``--set`` texts, as in ``budget.trials=20`` or ``space.lr={uniform: [0, 1]}``.
        resolve: Gives the trainable's declaration. Without it, the spec is not checked against a trainable.

    Raises:
        SpecError: All mistakes, in the order of the file.
    """
    document = from_yaml(text_of(path), str(path))
    if not document.data:
        document.raise_mistakes()
    return _understood(document, path.parent, overrides, resolve)


def parse_spec(
    data: Mapping[str, Any], *, base: Path, overrides: Sequence[str] = (), resolve: Resolve | None = None
) -> Spec:
    """Read a spec from a Python mapping of the same form; its mistakes have the place "spec".

    Args:
        data: The mapping; tuples count as lists.
        base: The directory that relative paths start from.
        overrides: As for :func:`read_spec`.
        resolve: As for :func:`read_spec`.

    Raises:
        SpecError: All mistakes.
    """
    return _understood(from_mapping(data), base, overrides, resolve)


def read_config(text: str, space: Space, *, name: str) -> Config:
    """A configuration of the space from YAML such as ``{lr: 0.01, layers: 3}``.

    Args:
        text: The YAML.
        space: The search space.
        name: The option that the text was given with, for mistakes.

    Raises:
        SpecError: All mistakes.
    """
    document = from_yaml(text, name, option=True)
    document.raise_mistakes()
    try:
        for key, problem, allowed in space.mistakes_in(document.data):
            document.add((key,) if key else (), problem, allowed)
    except EvaluationError as error:
        document.add((), error.problem)
    document.raise_mistakes()
    return space.canonical(document.data)


def text_of(path: Path) -> str:
    """The text of a hand-written file.

    Raises:
        SpecError: The file cannot be read, is not text, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _unreadable(path, f"larger than {MAX_BYTES // 1_000_000} MB", "put long lists into a CSV file")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(path, "not a text file", "YAML in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable(path, f"cannot be read: {reason}") from None


def _unreadable(path: Path, problem: str, allowed: str = "") -> SpecError:
    return SpecError([Mistake(place=Place(file=str(path)), problem=problem, allowed=allowed)])


def _understood(document: Document, base: Path, overrides: Sequence[str], resolve: Resolve | None) -> Spec:
    apply_overrides(document, overrides)
    read_csv_configs(document, base)
    partial = without_mistakes(document, base)
    check_meaning(partial)
    if resolve is not None:
        check_search_method(partial)
    if resolve is not None and partial.is_valid("trainable"):
        _check_trainable(partial, resolve)
    document.raise_mistakes()
    return _canonical(partial.spec)


def _check_trainable(partial: PartialSpec, resolve: Resolve) -> None:
    try:
        declaration = resolve(partial.spec.trainable, partial.base)
    except TrainableError as error:
        partial.document.add(("trainable",), error.problem, error.allowed)
        return
    if declaration is not None:
        check_declared(partial, declaration)
    check_scheduler(partial, declaration)


def _canonical(spec: Spec) -> Spec:
    """The spec with the user's configurations in the form in which a search would propose them."""
    space = spec.parameter_space()
    update: dict[str, Any] = {"start": [space.canonical(config) for config in spec.search.start]}
    if isinstance(spec.search.configs, list):
        update["configs"] = [space.canonical(config) for config in spec.search.configs]
    return spec.model_copy(update={"search": spec.search.model_copy(update=update)})
