"""Attempts at trials in forked processes, as a worker makes them, without Ray."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.core.rows import Failure
from orchestrator.spec import Objective
from orchestrator.worker.fork.forking import Forking
from orchestrator.worker.fork.protocol import Surroundings
from orchestrator.worker.messages import WorkerSettings, WorkerUpdate


@dataclass(kw_only=True)
class Ended:
    """A trial that has ended.

    Attributes:
        metrics: By step, with the samples of the GPU.
        failure: Why it failed; None: it has not.
        gpu_gb: 10^9 bytes of memory of its GPU.
    """

    metrics: dict[int, Mapping[str, float]] = field(default_factory=dict)
    failure: Failure | None = None
    gpu_gb: float | None = None


class Attempts:
    """Runs trials of tests/gpu/train.py one after the other."""

    def __init__(self, scratch: Path) -> None:
        for name in ("logs", "trials", "journals"):
            (scratch / name).mkdir(parents=True, exist_ok=True)
        settings = WorkerSettings(
            trainable="train.py:train",
            base=str(Path(__file__).parent),
            objective=Objective(metric="loss"),
            logs=str(scratch / "logs"),
            trials=str(scratch / "trials"),
            journals=str(scratch / "journals"),
            save_every_s=0.0,
            keep="last",
        )
        node = Node(id="here", name=socket.gethostname())
        self._runner = Forking(settings, Surroundings(environ=dict(os.environ), node=node, gpu_ids=("0",)))
        self._numbers = itertools.count()
        self.newest = -1

    def begin(self, *, gpus: float = 1.0, again: bool = False, **config: Any) -> None:
        """Begin an attempt at a new trial, or again at the newest."""
        self.newest = self.newest if again else next(self._numbers)
        self._runner.begin(Start(trial=self.newest, attempt=1 + again, config=config, seed=7, rungs=(), gpus=gpus))

    def end(self) -> Ended:
        """Wait for the end of the attempt."""
        ended = Ended()
        while True:
            update = WorkerUpdate.unpack(self._runner.update())
            ended.metrics |= {report.step: report.metrics for report in update.reports}
            ended.gpu_gb = update.gpu_gb or ended.gpu_gb
            if update.ended is not None:
                ended.failure = update.ended.failure
                self._runner.end()
                return ended

    def train(self, *, gpus: float = 1.0, again: bool = False, **config: Any) -> Ended:
        """Begin an attempt, and wait for its end."""
        self.begin(gpus=gpus, again=again, **config)
        return self.end()

    def close(self) -> None:
        """End the warm parent."""
        self._runner.close()
