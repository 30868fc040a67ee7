"""The reports of a trainer of Ray Train that a trial runs, such as a TorchTrainer, and the end of that trainer.

Such a trainer has a controller, an actor beside the trial, which starts the trainer's workers and collects their
reports. ``TuneReportCallback`` runs in the controller, and puts each report into what the session of the trial calls a
queue. Ray's own queue returns at once; this one returns when the trial knows whether it goes on, so that a trial that
the sweep stops trains no further.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from cluster.ray_private.names import TRAINER_REPORTS

ABORT_S = 1.5
"""Seconds that a controller may take to end its workers before it is killed; they end with it then, too."""


class TrainerReports:
    """Hands the reports of a trial's trainers to the trial, one after the other, in a thread.

    Attributes:
        queue: What ``TuneReportCallback`` is to put reports into.
        raised: What handing over a report has raised, and why the trainer has been ended; None while it goes on.
    """

    def __init__(self, report: Callable[[Mapping[str, Any]], object]) -> None:
        """
        Args:
            report: Takes the metrics of a report; what it raises ends the trainer.

        Raises:
            UnsupportedRayError: The installed Ray has no such trainers.
        """
        import ray

        TRAINER_REPORTS.require()
        self._report = report
        self._exchange = ray.remote(num_cpus=0)(_exchange()).remote()
        self.queue = _queue(self._exchange)
        self.raised: BaseException | None = None
        threading.Thread(target=self._hand_over, name="reports of the trainer", daemon=True).start()

    def close(self) -> None:
        """Take no more reports."""
        import ray

        ray.kill(self._exchange)

    def _hand_over(self) -> None:
        import ray
        from ray.exceptions import RayError

        with suppress(RayError):  # closed
            while self.raised is None:
                controller, metrics = ray.get(self._exchange.take.remote())
                try:
                    self._report(metrics)
                except BaseException as error:
                    self.raised = error
                ray.get(self._exchange.answer.remote(self.raised is None))
            _end(controller)


def _end(controller: Any) -> None:
    """End a controller and its workers: in order, as Ray does on Ctrl-C, or else by force."""
    import ray
    from ray.exceptions import GetTimeoutError, RayActorError

    try:
        ray.get(controller.abort.remote(), timeout=ABORT_S)
    except RayActorError:  # it exits rather than answers
        return
    except GetTimeoutError:
        pass
    ray.kill(controller)


# Made in functions, so that Ray sends these classes by their code: a user's `cluster` may hide this package elsewhere.


def _exchange() -> type:
    import asyncio

    class ReportExchange:
        """An actor between a controller and its trial. Calls of one wait for those of the other."""

        def __init__(self) -> None:
            self._reports: asyncio.Queue[Any] = asyncio.Queue()
            self._answers: asyncio.Queue[bool] = asyncio.Queue()

        async def put(self, report: Any) -> bool:
            self._reports.put_nowait(report)
            return await self._answers.get()

        async def take(self) -> Any:
            return await self._reports.get()

        async def answer(self, goes_on: bool) -> None:
            self._answers.put_nowait(goes_on)

    return ReportExchange


def _queue(exchange: Any) -> Any:
    class Reports:
        """What a controller puts reports into."""

        def __init__(self) -> None:
            self._goes_on = True

        def put(self, metrics: Mapping[str, Any]) -> None:
            import ray

            if self._goes_on:
                controller = ray.get_runtime_context().current_actor
                self._goes_on = ray.get(exchange.put.remote((controller, metrics)))

    return Reports()
