"""Writes down what a sweep is and where it runs, before it runs: a resume, on this machine or another, begins there."""

from __future__ import annotations

from orchestrator.records.code_copy import write_code
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.sites.code_origin import with_code_origin
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.source import Source


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
        trainable=spec.trainable,
        engine=engine,
        spec=spec.to_plain(),
        curves=source.declaration.curves if source.declaration is not None else (),
        command=source.command,
        directory=source.base,
        fingerprints=fingerprints(source.code, spec, source.declaration, source.base),
    )
    write_code(paths.code, source.code)
    write_sweep_json(paths.info, with_code_origin(info))
