"""Runs one of our sweeps in a benchmark, like `orchestrator.run`, on a Ray that is already running."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cluster.engine import Present
from cluster.local.embedded import embedded
from orchestrator.driver.launch import launch
from orchestrator.records.load import Sweep, load
from orchestrator.spec import parse_spec
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function

CPUS = 2


def random_search(trials: int, isolation: str = "fork") -> dict[str, Any]:
    """A spec with this many trials of one parameter."""
    return {
        "trial": {"isolation": isolation},
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "budget": {"trials": trials},
    }


def source_of(train: Callable[..., Any], spec: Mapping[str, Any]) -> Source:
    """The source to launch: a function of the benchmark and its spec."""
    whole = {"trainable": "benchmark:train", "resources": {"cpu": 1, "gpu": 0}, **spec}
    return Source(
        spec=parse_spec(whole, base=Path.cwd()),
        text=b"",
        base=Path.cwd(),
        declaration=None,
        function=train,
        packed=pack_function(train),
    )


def fit(train: Callable[..., Any], spec: Mapping[str, Any]) -> tuple[float, Sweep]:
    """Run a sweep; returns the seconds that it took beside the start of Ray, and its records.

    Everything counts from the claim of its directory to the last record, as it does for `Tuner.fit()`.
    """
    import ray.tune  # noqa: F401  # a script of Ray Tune's has imported it, too, before it begins to fit

    source = source_of(train, spec)
    with embedded(cpus=CPUS, gpus=0):
        began = time.perf_counter()
        paths = launch(source, results=Path("results"), engine=Present())
        seconds = time.perf_counter() - began
    return seconds, load(paths.root)
