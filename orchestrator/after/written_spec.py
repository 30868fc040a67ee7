"""A sweep whose spec a command has written, from the records of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.code.files import CodeFile
from orchestrator.space.distributions import distribution_of
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared, declared_by
from orchestrator.spec.source import Source
from orchestrator.spec.writing import spec_yaml
from orchestrator.worker.messages import pack_function


def written_spec(
    plain: Mapping[str, Any],
    head: str,
    base: Path,
    train: Callable[..., Any] | None,
    *,
    overrides: Sequence[str] = (),
    recorded_code: tuple[CodeFile, ...] | None = None,
) -> Source:
    """A sweep ready to launch.

    Args:
        plain: Its spec.
        head: What it is and who wrote it, for a comment.
        base: The directory from which its relative paths start.
        train: The trainable, if it is given from Python.
        overrides: Values of ``--set``.
        recorded_code: Trained in place of the code on the disk.

    Raises:
        SpecError: The spec does not fit the trainable, or the overrides have mistakes.
    """
    resolve = declared if train is None else lambda _reference, _base: declared_by(train)
    spec = parse_spec(_completed(plain), base=base, overrides=overrides, resolve=resolve)
    return Source(
        spec=spec,
        text=f"# {head}\n{spec_yaml(spec)}".encode(),
        base=base.resolve(),
        declaration=resolve(spec.trained, base),
        function=train,
        packed=None if train is None else pack_function(train),
        recorded_code=recorded_code,
    )


def _completed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with any value for what a listed configuration lacks, because its trial did not ask for it as it ran:
    its repetition will not ask for it either."""
    search, space = plain["search"], {name: distribution_of(each) for name, each in plain["space"].items()}
    any_value = {name: each.from_unit(0.5) for name, each in space.items() if each.when is None}
    configs = search.get("configs")
    if not isinstance(configs, list):
        return dict(plain)
    return {**plain, "search": {**search, "configs": [{**any_value, **config} for config in configs]}}
