"""Reads specs and single configurations into values, or raises all their mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import Mistake, Place, SpecError, TrainableError
from orchestrator.expressions.expression import EvaluationError
from orchestrator.space.space import Space
from orchestrator.space.values import Config
from orchestrator.spec.checks import check_meaning, check_not_empty, check_scheduler
from orchestrator.spec.command_checks import check_command
from orchestrator.spec.csv_configs import read_csv_configs
from orchestrator.spec.data_checks import check_data
from orchestrator.spec.declaration_checks import check_declared, check_values_read
from orchestrator.spec.extending import KEY, composed
from orchestrator.spec.model import Spec
from orchestrator.spec.nested_names import flat, flatten_names
from orchestrator.spec.overrides import apply_overrides
from orchestrator.spec.partial_spec import PartialSpec, without_mistakes
from orchestrator.spec.search_checks import check_search_method
from orchestrator.spec.values_read import ValuesRead
from orchestrator.spec.writing import spec_yaml
from orchestrator.yaml.document import Document, from_mapping
from orchestrator.yaml.reader import from_yaml
from trainables.command.program import Program
from trainables.declaration import Declaration

MAX_BYTES = 2_000_000

Resolve = Callable[[str | Program, Path], Declaration | ValuesRead | None]
"""Gives a trainable's declaration, or what it reads, from its reference or program and the spec's directory; None if
both are unknown."""


Warn = Callable[[str], None]
"""Is told what is odd in the data, and yet no mistake."""


def read_spec(
    path: Path, *, overrides: Sequence[str] = (), resolve: Resolve | None = None, warn: Warn | None = None
) -> Spec:
    """Read a spec file.

    Args:
        path: The YAML file. Paths in it are relative to its directory.
        overrides: ``--set`` texts, as in ``budget.trials=20`` or ``space.lr={uniform: [0, 1]}``.
        resolve: Gives the trainable's declaration. Without it, the spec is not checked against a trainable.
        warn: Told what the trainable finds odd in its data. Without it, the trainable does not look into its data.

    Raises:
        SpecError: All mistakes, in the order of the file.
    """
    document = from_yaml(text_of(path), str(path))
    if not document.data:
        document.raise_mistakes()
    return _understood(composed(document, path.parent, text_of, (path,)), path.parent, overrides, resolve, warn)


def text_to_record(path: Path, spec: Spec) -> bytes:
    """The text of a spec's file; of one that extends another, the whole spec."""
    text = path.read_bytes()
    if not from_yaml(text.decode("utf-8-sig"), str(path)).data.get(KEY):
        return text
    return f"# {path.name}, with what it extends\n{spec_yaml(spec)}".encode()


def parse_spec(
    data: Mapping[str, Any],
    *,
    base: Path,
    overrides: Sequence[str] = (),
    resolve: Resolve | None = None,
    warn: Warn | None = None,
) -> Spec:
    """Read a spec from a Python mapping of the same form; its mistakes have the place "spec".

    Args:
        data: The mapping; tuples count as lists.
        base: The directory that relative paths start from.
        overrides: As for :func:`read_spec`.
        resolve: As for :func:`read_spec`.
        warn: As for :func:`read_spec`.

    Raises:
        SpecError: All mistakes.
    """
    return _understood(composed(from_mapping(data), base, text_of), base, overrides, resolve, warn)


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
    document.data = flat(document.data, space.parameters)
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
        if path.is_fifo() or path.is_char_device():  # it may be read once only, or without end
            raise _unreadable(path, "not a regular file", "a file, as paths in a spec are relative to its directory")
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


def _understood(
    document: Document, base: Path, overrides: Sequence[str], resolve: Resolve | None, warn: Warn | None
) -> Spec:
    apply_overrides(document, overrides)
    read_csv_configs(document, base)
    flatten_names(document)
    partial = without_mistakes(document, base)
    check_meaning(partial)
    if resolve is not None:
        check_search_method(partial)
    check_command(partial)
    if resolve is not None and partial.names_trainable:
        _check_trainable(partial, resolve, warn)
    elif resolve is not None or "space" not in document.data:  # a saved one may be empty, until trials have found it
        check_not_empty(partial, None)
    document.raise_mistakes()
    return _canonical(partial.spec)


def _check_trainable(partial: PartialSpec, resolve: Resolve, warn: Warn | None) -> None:
    try:
        known = resolve(partial.spec.trained, partial.base)
    except TrainableError as error:
        partial.document.add((partial.trained_by,), error.problem, error.allowed)
        return
    declaration = None if isinstance(known, ValuesRead) else known
    check_not_empty(partial, declaration)
    if isinstance(known, ValuesRead):
        check_values_read(partial, known)
    elif known is not None and not known.define_by_run:
        check_declared(partial, known)
        if warn is not None:
            check_data(partial, known, warn)
    check_scheduler(partial, declaration)


def _canonical(spec: Spec) -> Spec:
    """The spec with the user's configurations in the form in which a search would propose them."""
    space = spec.parameter_space()
    update: dict[str, Any] = {"start": [space.canonical(config) for config in spec.search.start]}
    if isinstance(spec.search.configs, list):
        update["configs"] = [space.canonical(config) for config in spec.search.configs]
    return spec.model_copy(update={"search": spec.search.model_copy(update=update)})
