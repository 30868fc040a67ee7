"""Writes down what a sweep is and where it runs, before it runs: a resume, on this machine or another, begins there."""

from __future__ import annotations

import math

from orchestrator.records.code_copy import write_code
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import Limits, collect, write_sweep_json
from orchestrator.sites.code_origin import with_code_origin
from orchestrator.space.values import is_recordable
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.given import how_given
from orchestrator.spec.source import Source
from trainables.declaration import Declaration


def describe(source: Source, paths: SweepPaths, engine: str) -> None:
    """Write spec.yaml, sweep.json and the code.

    Args:
        source: The checked spec.
        paths: The directory claimed for the sweep.
        engine: As given to ``--on``.
    """
    paths.spec.write_bytes(source.text)
    (paths.root / "logs").mkdir()
    spec = source.spec
    info = collect(
        name=paths.name,
        seed=spec.search.seed,
        trainable=str(spec.trained),
        engine=engine,
        spec=spec.to_plain(),
        given=None if source.function is None else how_given(source.function),
        location=paths.root,
        curves=source.declaration.curves if source.declaration is not None else (),
        limits=limits_of(source.declaration) if source.declaration is not None else {},
        command=source.command,
        directory=source.base,
        fingerprints=fingerprints(source.code, spec, source.declaration, source.base),
    )
    write_code(paths.code, source.code)
    write_sweep_json(paths.info, with_code_origin(info))


def limits_of(declaration: Declaration) -> dict[str, Limits]:
    """What is declared of the values of hyperparameters, by name; those with none are left out."""
    found = {}
    for each in declaration.hyperparameters:
        limits = Limits(
            low=float(each.low) if math.isfinite(each.low) else None,
            high=float(each.high) if math.isfinite(each.high) else None,
            choices=[choice for choice in each.choices if is_recordable(choice)],
        )
        if limits != Limits():
            found[each.name] = limits
    return found
