"""From what the user wrote to a :class:`Spec`, or to all of its mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import Mistake, Place, SpecError, TrainableError
from orchestrator.spec.checks import check_meaning, check_scheduler
from orchestrator.spec.csv_configs import read_csv_configs
from orchestrator.spec.declaration_checks import check_declared
from orchestrator.spec.model import Spec
from orchestrator.spec.overrides import apply_overrides
from orchestrator.spec.partial_spec import Draft, draft
from orchestrator.yaml.document import Document, from_mapping
from orchestrator.yaml.reader import from_yaml
from trainables.contract import Declaration

MAX_BYTES = 2_000_000

Resolve = Callable[[str, Path], Declaration | None]
"""From a trainable's reference and the spec's directory to what it declares; None if it opted out."""


def read_spec(path: Path, *, overrides: Sequence[str] = (), resolve: Resolve | None = None) -> Spec:
    """Read a spec file.

    Args:
        path: The YAML file. Paths in it are relative to its directory.
        overrides: ``--set`` texts, as in ``budget.trials=20`` or ``space.lr={uniform: [0, 1]}``.
        resolve: Where the declaration of the trainable comes from. Without it nothing is held against one.

    Raises:
        SpecError: With every mistake, in the order in which they stand in the file.
    """
    document = from_yaml(text_of(path), str(path))
    if not document.data:
        document.raise_mistakes()
    return _understood(document, path.parent, overrides, resolve)


def parse_spec(
    data: Mapping[str, Any], *, base: Path, overrides: Sequence[str] = (), resolve: Resolve | None = None
) -> Spec:
    """Read a spec that is a Python mapping of the same form; its mistakes stand in "spec".

    Args:
        data: The mapping; tuples will do for lists.
        base: The directory that paths in it are relative to.
        overrides: As for :func:`read_spec`.
        resolve: As for :func:`read_spec`.

    Raises:
        SpecError: With every mistake.
    """
    return _understood(from_mapping(data), base, overrides, resolve)


def text_of(path: Path) -> str:
    """What a file written by hand holds.

    Raises:
        SpecError: It cannot be read, is no text, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _unreadable(path, f"larger than {MAX_BYTES // 1_000_000} MB", "long lists stand in a CSV file")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(path, "this is no text", "YAML in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable(path, f"cannot be read: {reason}") from None


def _unreadable(path: Path, problem: str, allowed: str = "") -> SpecError:
    return SpecError([Mistake(place=Place(file=str(path)), problem=problem, allowed=allowed)])


def _understood(document: Document, base: Path, overrides: Sequence[str], resolve: Resolve | None) -> Spec:
    apply_overrides(document, overrides)
    read_csv_configs(document, base)
    sketch = draft(document, base)
    check_meaning(sketch)
    if resolve is not None and sketch.sound("trainable"):
        _check_trainable(sketch, resolve)
    document.raise_mistakes()
    return _canonical(sketch.spec)


def _check_trainable(sketch: Draft, resolve: Resolve) -> None:
    try:
        declaration = resolve(sketch.spec.trainable, sketch.base)
    except TrainableError as error:
        sketch.document.add(("trainable",), str(error))
        return
    if declaration is not None:
        check_declared(sketch, declaration)
    check_scheduler(sketch, declaration)


def _canonical(spec: Spec) -> Spec:
    """With the configurations that the user gave as we would have drawn them."""
    space = spec.parameter_space()
    update: dict[str, Any] = {"start": [space.canonical(config) for config in spec.search.start]}
    if isinstance(spec.search.configs, list):
        update["configs"] = [space.canonical(config) for config in spec.search.configs]
    return spec.model_copy(update={"search": spec.search.model_copy(update=update)})
