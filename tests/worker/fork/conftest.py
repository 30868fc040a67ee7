"""A worker's forking runner, without Ray."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.spec import Objective
from orchestrator.worker.fork.forking import Forking
from orchestrator.worker.fork.protocol import Surroundings
from orchestrator.worker.messages import AttemptEnd, WorkerSettings, WorkerUpdate


class Worker:
    """Trains trials one after the other, as the actor does."""

    def __init__(self, settings: WorkerSettings, *, first: int = 0) -> None:
        self.settings = settings
        surroundings = Surroundings(environ=dict(os.environ), node=Node(id="n", name="here"), gpu_ids=())
        self.runner = Forking(settings, surroundings)
        self._numbers = itertools.count(first)

    @property
    def parent(self) -> psutil.Process:
        """The warm parent."""
        process = self.runner._parent._process
        assert process is not None
        return psutil.Process(process.pid)

    def begin(self, *, rungs: tuple[int, ...] = (), **config: Any) -> int:
        number = next(self._numbers)
        self.runner.begin(Start(trial=number, attempt=1, config=config, seed=7, rungs=rungs))
        return number

    def update(self) -> WorkerUpdate:
        return WorkerUpdate.unpack(self.runner.update())

    def train(self, **config: Any) -> tuple[dict[str, float], AttemptEnd]:
        """The last metrics of a new trial, and how it ended."""
        self.begin(**config)
        metrics: dict[str, float] = {}
        while True:
            update = self.update()
            for report in update.reports:
                metrics = dict(report.metrics)
            if update.ended is not None:
                self.runner.end()
                return metrics, update.ended


@pytest.fixture
def worker_of(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Makes a worker from the text of train.py, whose trainable is called `train`."""
    made: list[Worker] = []

    def make(text: str, **settings: Any) -> Worker:
        (tmp_path / "train.py").write_text(textwrap.dedent(text))
        (tmp_path / "logs").mkdir(exist_ok=True)
        told: dict[str, Any] = {
            "trainable": "train.py:train",
            "base": str(tmp_path),
            "logs": str(tmp_path / "logs"),
            "journals": str(tmp_path / "journals"),
            "trials": str(tmp_path / "trials"),
            "objective": Objective(metric="loss"),
            "heartbeat_s": 0.2,
            "isolation": "fork",
        }
        made.append(Worker(WorkerSettings(**(told | settings))))
        return made[-1]

    yield make
    for each in made:
        each.runner.close()
