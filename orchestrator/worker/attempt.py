"""One attempt at a trial: the user's code in a thread of its own, and what it reports. No Ray."""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import time
import traceback
from bisect import bisect_right
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from orchestrator.core.events import Measurement, Start
from orchestrator.worker.child_processes import ChildProcesses
from orchestrator.worker.failures import describe, stack_of, timed_out
from orchestrator.worker.gpu_sampling import GpuSampler
from orchestrator.worker.handoff import Handoff
from orchestrator.worker.log_capture import captured
from orchestrator.worker.messages import AttemptEnd, WorkerSettings
from orchestrator.worker.unrecorded_reports import UnrecordedReports
from orchestrator.worker.watchdog import watched
from trainables.checkpoints.files import Keep
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import Carried, Reports
from trainables.contract import Report, Trial, TrialEnded
from trainables.process.isolation import Isolation

PATIENCE_S = 2.0
"""How long a thread that is to end may take before it counts as stuck."""
SAVING_S = 10.0
"""How long it may then take to write its checkpoint."""


class Attempt:
    """Runs one trial. ``collect`` and ``end`` are called by the worker, ``_sink`` by the user's thread."""

    def __init__(
        self,
        order: Start,
        job: WorkerSettings,
        run: Callable[[Trial], object],
        isolation: Isolation,
        bar: float = math.inf,
    ) -> None:
        """It begins.

        Args:
            order: Which trial.
            job: What all have in common.
            run: Trains it.
            isolation: Of this process.
            bar: The best loss that this process has seen. If the trial is stopped by the scheduler, its checkpoint is
                only written if it beats that: the best trial of the sweep does, and of the others few.
        """
        self.loss = math.inf  # as the trial is judged: the best or the last
        self.left = ""  # why its process should not be used again, though it did not fail: GPU memory
        self._bar = bar
        self._order = order
        self._job = job
        self._run = run
        self._isolation = isolation
        self._directory = Path(job.trials) / str(order.trial)
        checkpoints = Path(job.checkpoints) / str(order.trial) if job.checkpoints else self._directory / "checkpoints"
        self._checkpoints = Checkpoints(checkpoints, every_s=job.save_every_s, ledger=self)
        self._tail = UnrecordedReports(recorded=order.recorded)
        self._gauge = GpuSampler()
        self._exchange = Handoff(heartbeat_s=job.heartbeat_s)
        self._next_rung = self._rung_after(-1 if order.recorded is None else order.recorded)
        self._saving = False  # the trainable is through, and its last checkpoint is being written
        self._began = time.monotonic()
        self._carried_s = 0.0  # trained by an attempt before, after what the driver knows of it
        self._children = ChildProcesses()
        self._thread = threading.Thread(target=self._main, name=f"trial-{order.trial}", daemon=True)
        self._thread.start()

    # Called by the worker --------------------------------------------------------------------------------------

    def collect(self) -> tuple[list[Measurement], float, AttemptEnd | None]:
        """Reports since the last call, seconds of training so far, and how it ended if it did. As ``Exchange.take``."""
        measurements, ended = self._exchange.take()
        return measurements, self._train_s(), ended

    def end(self) -> bool:
        """End the thread, at its next report or by force; returns whether it is over."""
        self._exchange.end()
        self._thread.join(PATIENCE_S)
        if self._thread.is_alive() and self._thread.ident is not None and not self._saving:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(TrialEnded))
            self._children.kill()  # it may be waiting for one
            self._thread.join(PATIENCE_S)
        if self._saving:
            self._thread.join(SAVING_S)
        if self._thread.is_alive():
            self._checkpoints.close("none")
        return not self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Whether the trainable raised, also if nobody has collected it: then the process is not to be trusted."""
        ended = self._exchange.ended
        return ended is not None and ended.spoils

    @property
    def gpu_gb(self) -> float | None:
        """10^9 bytes of memory of its GPU; None if it has used none that can be measured."""
        return self._gauge.gpu_gb

    @property
    def trouble(self) -> str:
        """Why no checkpoint can be written at present; "" if it can."""
        return self._checkpoints.trouble

    def _train_s(self) -> float:
        return self._carried_s + max(0.0, time.monotonic() - self._began - self._exchange.waited_s)

    # The watchdog ----------------------------------------------------------------------------------------------

    def _time_out(self, limit: float, log: int) -> None:
        stack = stack_of(sys._current_frames().get(self._thread.ident or 0))
        if not self._exchange.give_up(AttemptEnd(failure=timed_out(limit, stack))):
            return
        with suppress(OSError):  # sys.stderr may be what the trial is stuck in
            os.write(log, f"no report for {limit:g} s; the trial stood at:\n{stack}".encode())
        self._checkpoints.close("none")  # the next attempt may begin while this one still trains
        self._children.kill()

    # The user's thread -----------------------------------------------------------------------------------------

    def _main(self) -> None:
        ended: AttemptEnd | None = None
        try:
            ended = self._train()
        except TrialEnded:
            pass  # by force, when it was over already
        except BaseException as error:  # of ours: without an end it would look as if it trained for ever
            ended = AttemptEnd(failure=describe(error))
        self._exchange.close(ended)

    def _train(self) -> AttemptEnd | None:
        """Run it to its end, whatever that is; None: it was told to end."""
        order, job = self._order, self._job
        ended: AttemptEnd | None = None
        keep: Keep = "both"  # of what is not written yet; a further attempt may need it
        with captured(Path(job.logs) / f"{order.trial}.log", order.attempt) as log, self._watched(log):
            try:
                self._isolation.prepare(seed=order.seed, threads=job.threads, gpus=order.gpus or 0.0)
                self._began = self._exchange.sign()
                self._run(self._trial())
                ended, keep = AttemptEnd(), job.keep
            except TrialEnded:
                ended, keep = None, self._kept_when_ended()
            except (OverflowError, FloatingPointError) as error:
                ended, keep = AttemptEnd(failure=describe(error), numerical=True), "none"
            except BaseException as error:  # SystemExit and KeyboardInterrupt of the user's code, too
                traceback.print_exc()
                ended = AttemptEnd(failure=describe(error))
            finally:
                self._saving = True
                self._exchange.sign()
                self._checkpoints.close(keep, finished=ended is not None and ended.failure is None)
                self.left = self._isolation.restore()
                if self.left:
                    print(self.left, file=sys.stderr)
                self._children.kill()
        return ended

    def _kept_when_ended(self) -> Keep:
        if not self._exchange.judged:
            return "both"
        return self._job.keep if self.loss < self._bar else "none"

    def _watched(self, log: int) -> AbstractContextManager[None]:
        limit = self._job.timeout_s
        if limit is None:
            return nullcontext()
        return watched(limit, log, self._exchange.silent_s, lambda: self._time_out(limit, log))

    def _trial(self) -> Trial:
        order, job = self._order, self._job
        return Trial(
            config={**job.fixed, **order.config},
            number=order.trial,
            seed=order.seed,
            directory=self._directory,
            sink=self._sink,
            checkpoints=self._checkpoints,
        )

    def _sink(self, report: Report) -> None:
        metrics = self._gauge.beside(report.metrics, self._exchange.sign())
        self._hand_over(
            Measurement(step=report.step, train_s=self._train_s(), reported_at=time.time(), metrics=metrics)
        )

    def upto(self, step: int) -> Reports:
        """What a checkpoint of that step carries along."""
        return self._tail.upto(step)

    def resume(self, reports: Reports) -> bool:
        """Send the reports again that a checkpoint carries and the driver does not know."""
        order = self._order
        if UnrecordedReports.behind(reports, order.recorded):
            return False
        unknown = [each for each in reports.carried if order.recorded is None or each.step > order.recorded]
        for each in unknown:
            self._carried_s = max(0.0, each.train_s - order.trained_s)
            self._hand_over(
                Measurement(
                    step=each.step, train_s=self._carried_s, reported_at=each.reported_at, metrics=each.metrics
                ),
                saved=True,
            )
        return True

    def _hand_over(self, measurement: Measurement, *, saved: bool = False) -> None:
        now = time.monotonic()
        carried = Carried(
            step=measurement.step,
            train_s=self._order.trained_s + measurement.train_s,
            reported_at=measurement.reported_at,
            metrics=dict(measurement.metrics),
        )
        self._tail.add(carried, now, self._exchange.asked)
        if not saved:
            self._save(measurement)
        self._exchange.put(measurement, since=now, due=self._needs_decision(measurement))

    def _save(self, report: Measurement) -> None:
        """Tell the checkpoints the objective; the last step's are written before the driver hears of the step."""
        value = report.metrics.get(self._job.objective.metric)
        if value is None or self._job.objective.diverges(value):
            self._checkpoints.report(report.step, None)
            return
        loss = value if self._job.objective.mode == "min" else -value
        self.loss = min(loss, self.loss) if self._job.objective.at == "best" else loss
        self._checkpoints.report(report.step, loss)
        if self._job.max_step is not None and report.step >= self._job.max_step:
            self._checkpoints.close(self._job.keep)

    def _needs_decision(self, report: Measurement) -> bool:
        value: Any = report.metrics.get(self._job.objective.metric)
        if value is None:
            return False
        due = self._job.max_step is not None and report.step >= self._job.max_step
        if self._next_rung is not None and report.step >= self._next_rung:
            self._next_rung = self._rung_after(report.step)
            due = True
        return due or self._job.objective.diverges(value)

    def _rung_after(self, step: int) -> int | None:
        rungs = self._order.rungs
        position = bisect_right(rungs, step)
        return rungs[position] if position < len(rungs) else None
