"""A worker as Ray Tune's Trainable, where Ray Tune takes nothing else."""

from __future__ import annotations

from typing import Any, Protocol

from ray import tune


class TuneWorker(Protocol):
    """The class of a worker: what Ray Tune calls of a Trainable."""

    def __init__(self, config: dict[str, Any]) -> None: ...

    def train(self) -> dict[str, Any]:
        """Return the next result."""

    def reset(self, new_config: dict[str, Any]) -> bool:
        """Begin the next trial."""

    def end(self) -> None:
        """End the trial; another may follow."""

    def stop(self) -> None:
        """End the trial, and the worker."""


def as_trainable(worker: type[TuneWorker]) -> type[tune.Trainable]:
    """A Trainable that does what the worker does.

    The class is made here, so that Ray sends it to workers by its code: a user's `cluster` may hide this package there.
    """

    class WorkerTrainable(tune.Trainable):
        config: dict[str, Any]

        def setup(self, config: dict[str, Any]) -> None:
            self._worker = worker(config)
            self.config = {}  # Ray Tune sends it back with each result

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.config = {}
            return self._worker.reset(new_config)

        def step(self) -> dict[str, Any]:
            return self._worker.train()

        def cleanup(self) -> None:
            self._worker.stop()

    return WorkerTrainable
