"""From Python: ``run`` does what `sweep launch` does, for scripts and notebooks."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api.loaded import Sweep


def run(
    spec: str | Path | Mapping[str, Any],
    train: Callable[..., Any] | None = None,
    *,
    overrides: Sequence[str] = (),
    results: str | Path = "results",
    on: str = "local",
    cpus: int | None = None,
    gpus: int | None = None,
) -> Sweep:
    """Run a sweep to its end and return its records.

    Args:
        spec: The path of a spec, or the same as a mapping (its relative paths begin in the working directory).
        train: The trainable, if it is not named in the spec: a function or class, a closure as well.
        overrides: As with `--set`: ["budget.trials=20"].
        results: Where sweeps land.
        on: Where it runs, as with `--on`: local, auto, or host:port of a Ray cluster that this machine is a node of.
        cpus: What Ray may use of this machine; None: all. Only with local, as gpus.
        gpus: Likewise; on a machine without GPUs they are pretended, for placement only.

    Raises:
        SpecError: All mistakes of the spec at once.
        SweepError: What else can go wrong; see orchestrator/errors.py.
    """
    from orchestrator.api.loaded import load
    from orchestrator.contract import declaration_of
    from orchestrator.driver.launch import launch
    from orchestrator.sites.placement import engine_at
    from orchestrator.spec import parse_spec, read_spec
    from orchestrator.spec.load_trainable import declared, shape_of
    from orchestrator.spec.source import Source
    from orchestrator.worker.messages import pack_function

    engine = engine_at(on, cpus=cpus, gpus=gpus)
    if train is not None:
        shape_of(train)
    resolve = declared if train is None else lambda _reference, _base: declaration_of(train)
    if isinstance(spec, Mapping):
        base, path = Path.cwd(), None
        mapping = dict(spec) if train is None else {"trainable": _name(train), **spec}
        text = json.dumps(mapping, indent=2, default=str).encode()  # which is YAML, too
        checked = parse_spec(mapping, base=base, overrides=overrides, resolve=resolve)
    else:
        path = Path(spec)
        base, text = path.resolve().parent, path.read_bytes() if path.is_file() else b""
        checked = read_spec(path, overrides=overrides, resolve=resolve)
    source = Source(
        spec=checked,
        text=text,
        base=base,
        declaration=declaration_of(train) if train is not None else declared(checked.trainable, base),
        function=train,
        packed=None if train is None else pack_function(train),
        file=path,
        overrides=overrides,
    )
    paths = launch(source, results=Path(results), engine=engine)
    return load(paths.root)


def _name(train: Callable[..., Any]) -> str:
    """What stands in the records as the trainable, when it was given from Python."""
    module = inspect.getmodule(train)
    return f"{module.__name__ if module is not None else '__main__'}:{getattr(train, '__qualname__', 'train')}"
