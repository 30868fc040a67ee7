"""The answer of `sweep check` for a spec without mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.cli.views.command import taken_data
from orchestrator.core.build import trial_count
from orchestrator.core.ladder import ladder
from orchestrator.spec.source import Source
from trainables.command.sample import Taken


def check_data(file: Path, found: Source, seen: Taken | None = None) -> dict[str, Any]:
    """The answer as data: what the spec specifies, and what is taken from a sample of a program's output."""
    spec, space = found.spec, found.spec.parameter_space()
    return {
        "ok": True,
        "spec": str(file),
        "name": found.name,
        "trainable": str(spec.trained),
        "objective": {"metric": spec.objective.metric, "mode": spec.objective.mode, "at": spec.objective.at},
        "method": spec.search.method,
        "seed": spec.search.seed,
        "trials": trial_count(spec, space),
        "parameters": list(space.parameters),
        "scheduler": rungs.method if (rungs := ladder(spec, found.declaration)) else "none",
        **({} if seen is None else {"sample": taken_data(seen, spec.objective.metric)}),
    }
