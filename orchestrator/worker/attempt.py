"""One attempt at a trial in this process: the user's code, and the reports it makes. Knows nothing of Ray.

The code runs in the main thread of a process that is the trial's own, or in a thread of a process that trains other
trials too.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from orchestrator.core.events import Start
from orchestrator.core.node_health import Node
from orchestrator.core.rung_unit import reached
from orchestrator.spec.trial_resources import threads_of
from orchestrator.worker.child_processes import ChildProcesses
from orchestrator.worker.failures import describe, innermost, logged, stack_of, timed_out
from orchestrator.worker.gpu_sampling import GpuSampler
from orchestrator.worker.handoff import Handoff
from orchestrator.worker.log_capture import Log, captured
from orchestrator.worker.messages import AttemptEnd, WorkerSettings, WorkerUpdate
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.report_journal import ReportJournal
from orchestrator.worker.watchdog import watched
from trainables.checkpoints.files import Keep
from trainables.checkpoints.saving import Checkpoints
from trainables.command.failure import ProgramFailed
from trainables.command.program import Program
from trainables.process.isolation import Isolation
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

PATIENCE_S = 2.0
"""Seconds that a thread may take to end before it counts as stuck."""
SAVING_S = 10.0
"""Seconds that it may then take to write its checkpoint."""
SILENT_S = 60.0
"""Seconds without a report that are worth mentioning; more, if the trial has taken a third of them before."""
EXIT_S = 5.0
"""Seconds that the processes which a trial has started may take to end, when the trial has ended."""
ELSEWHERE = "trial.report was called in a process that the trial has started; only the trial's own process can report"


class Attempt:
    """Runs one trial. One thread calls ``run``; another calls ``update`` and ``end``.

    Attributes:
        saved: The step of the trial's state on the disk when it last reached a rung where it may pause; None if there
            was none.
        memory_left: Why the process must not be used again although the trial did not fail: GPU memory stayed taken.
    """

    def __init__(
        self,
        order: Start,
        settings: WorkerSettings,
        run: Callable[[Trial], object],
        isolation: Isolation,
        part: Part = ALONE,
    ) -> None:
        """Begin, without running anything.

        Args:
            order: Which trial to run.
            settings: What all attempts of the sweep share.
            run: Trains a trial.
            isolation: Prepares this process for a trial, and cleans up afterwards.
            part: Which of the trial's ranks this process is.
        """
        self._part = part
        self._loss = math.inf  # by which the trial is judged: its best or its last, as the objective says
        self.saved: int | None = None
        self.memory_left = ""
        self._order = order
        self._settings = settings
        self._run = run
        self._isolation = isolation
        self._directory = Path(settings.trials) / str(order.trial)
        self._checkpoints_directory = (
            Path(settings.checkpoints) / str(order.trial) if settings.checkpoints else self._directory / "checkpoints"
        )
        self._gpu_sampler = GpuSampler()
        self._handoff = Handoff(heartbeat_s=settings.heartbeat_s)
        self._suggested: Mapping[str, tuple[Any, Mapping[str, Any]]] = {}
        self._suggested_sent = 0
        self._journal = ReportJournal(
            settings.journal(order.trial),
            recorded=order.recorded,
            collected_at=lambda: self._handoff.collected_at,
        )
        self._checkpoints = Checkpoints(
            self._checkpoints_directory, every_s=settings.save_every_s, before_write=self._before_write
        )
        self._next_rung = order.rungs[0] if order.rungs else None
        self._saving = False  # the trainable has ended, and the last checkpoint is being written
        self._began = time.monotonic()
        self._trained_before_s = order.trained_s  # by earlier attempts
        self._children = ChildProcesses()
        self._process = os.getpid()
        self._reported_elsewhere = mmap.mmap(-1, 1)  # shared with processes that the trial forks
        self._thread: int | None = None  # that which runs the trial
        self._done = threading.Event()

    def start(self) -> None:
        """Run the trial in a new thread."""
        threading.Thread(target=self.run, name=f"trial-{self._order.trial}", daemon=True).start()

    def run(self) -> None:
        """Run the trial in this thread, to its end."""
        self._thread = threading.get_ident()
        ended: AttemptEnd | None = None
        try:
            ended = self._train()
        except TrialEnded:
            pass  # raised by force after the trainable had ended
        except BaseException as error:  # our own bug: without an end the trial would seem to train for ever
            ended = end_of(error)
        self._done.set()
        self._handoff.close(ended)

    # Called by another thread ------------------------------------------------------------------------------------

    def collect(self) -> tuple[list[Report], float, AttemptEnd | None]:
        """New reports, seconds of training over all attempts, and how the attempt ended if it did.

        Waits as ``Handoff.take`` does.
        """
        reports, ended = self._handoff.take()
        return reports, self._train_s(), ended

    def update(self, *, node: Node, gpu_ids: tuple[str, ...]) -> WorkerUpdate:
        """What ``collect`` returns and all else that the driver is told."""
        reports, train_s, ended = self.collect()
        silent_s = self._handoff.silent_s()
        if ended is not None or silent_s < max(SILENT_S, 3 * self._handoff.longest_s):
            silent_s = 0.0
        return WorkerUpdate(
            reports=reports,
            train_s=train_s,
            suggested=self._new_suggestions(),
            node=node,
            gpu_ids=gpu_ids,
            gpu_gb=self._gpu_sampler.gpu_gb,
            saved=self.saved,
            ended=ended,
            silent_s=silent_s,
            place=innermost(self._frame()) if silent_s else "",
            trouble=self.trouble,
        )

    def _frame(self) -> FrameType | None:
        """Where the user's code is; None if it is a program, which only its output can tell."""
        return None if isinstance(self._settings.trainable, Program) else sys._current_frames().get(self._thread or 0)

    def _new_suggestions(self) -> Mapping[str, tuple[Any, Mapping[str, Any]]]:
        """All that the trial has asked for, if the driver does not know it yet."""
        suggested = dict(self._suggested)
        if len(suggested) == self._suggested_sent:
            return {}
        self._suggested_sent = len(suggested)
        return suggested

    def end(self) -> bool:
        """End the training, at its next report or by force; returns whether it has ended."""
        self._handoff.end()
        ended = self._done.wait(PATIENCE_S + self._settings.grace_s)
        if not ended and self._thread is not None and not self._saving:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(TrialEnded))
            self._children.kill()  # the thread may be waiting for one
            ended = self._done.wait(PATIENCE_S)
        if not ended and self._saving:
            ended = self._done.wait(SAVING_S)
        if not ended:
            self._checkpoints.close("none")
            self._journal.close()
        return ended

    @property
    def failed(self) -> bool:
        """Whether the trainable raised, even if not collected yet."""
        ended = self._handoff.ended
        return ended is not None and ended.failed

    @property
    def trouble(self) -> str:
        """Why no checkpoint can be written at present; "" if checkpoints are written."""
        return self._checkpoints.trouble

    def _train_s(self) -> float:
        return self._trained_before_s + max(0.0, time.monotonic() - self._began - self._handoff.waited_s)

    # Called by the watchdog ------------------------------------------------------------------------------------

    def _time_out(self, limit: float, log: int) -> None:
        stack = stack_of(self._frame())
        if not self._handoff.give_up(AttemptEnd(failure=timed_out(limit, stack))):
            return
        with suppress(OSError):  # writing to sys.stderr may be where the trial is stuck
            where = f"; the trial was at:\n{stack}" if stack else "\n"
            os.write(log, f"no report for {limit:g} s{where}".encode())
        self._checkpoints.close("none")  # the next attempt may begin while this one still trains
        self._journal.close()
        self._children.kill()

    # In the thread that trains -----------------------------------------------------------------------------------

    def _train(self) -> AttemptEnd | None:
        """Run the trainable until it ends; None if it was told to end."""
        order, settings = self._order, self._settings
        ended: AttemptEnd | None = None
        keep: Keep = "both"  # of states that are not written yet; another attempt may need them
        gpus = (order.gpus or 0.0) / self._part.ranks
        with captured(settings.log(order.trial, self._part.rank), order.attempt) as log, self._watched(log):
            try:
                cpus = order.asked.cpus
                threads = settings.threads if cpus is None else threads_of(cpus)
                self._isolation.prepare(seed=order.seed, threads=threads, gpus=gpus)
                os.environ.update(self._part.environ)
                self._began = self._handoff.touch()
                if not settings.begins_anew:
                    self._send_unrecorded()
                self._run(self._trial())
                if self._reported_elsewhere[0]:
                    raise RuntimeError(ELSEWHERE)
                ended, keep = AttemptEnd(), settings.keep
            except TrialEnded:
                ended, keep = None, self._kept_when_ended()
            except (OverflowError, FloatingPointError) as error:
                ended, keep = replace(end_of(error), numerical=True), "none"
            except BaseException as error:  # including SystemExit and KeyboardInterrupt raised by the user's code
                log.write(logged(error))
                ended = end_of(error)
            finally:
                self._saving = True
                self._handoff.touch()
                self._checkpoints.close(keep, finished=ended is not None and ended.failure is None)
                self._journal.close()
                self.memory_left = self._restored()
                if self.memory_left:
                    log.write(f"{self.memory_left}\n")
                self._children.kill()
        return ended

    def _restored(self) -> str:
        """Clean up the process; what waits for processes of the trial does not wait for ever."""
        impatient = threading.Timer(EXIT_S, self._children.kill)
        impatient.daemon = True
        impatient.start()
        try:
            return self._isolation.restore()
        finally:
            impatient.cancel()

    def _kept_when_ended(self) -> Keep:
        if not self._handoff.judged:
            return "both"
        return self._settings.keep if self._loss <= self._order.to_beat else "none"

    def _before_write(self) -> None:
        self._journal.sync()

    def _watched(self, log: Log) -> AbstractContextManager[None]:
        limit = self._settings.timeout_s
        if limit is None:
            return nullcontext()
        return watched(limit, log.descriptor, self._handoff.silent_s, lambda: self._time_out(limit, log.descriptor))

    def _trial(self) -> Trial:
        order = self._order
        trial = Trial(
            config={**self._settings.fixed, **order.config},
            number=order.trial,
            seed=order.seed,
            rank=self._part.rank,
            world_size=self._part.ranks,
            device=self._part.device,
            directory=self._directory,
            sink=self._sink,
            train_s=self._train_s,
            checkpoints=self._checkpoints,
            ended=self._is_to_end,
            turn=self._turn(),
        )
        self._suggested = trial.suggested
        return trial

    def _is_to_end(self) -> bool:
        return self._handoff.ending

    def _turn(self) -> Callable[[], None] | None:
        """As of Trial."""
        return None

    def _sink(self, report: Report) -> None:
        if os.getpid() != self._process:
            self._reported_elsewhere[0] = 1
            raise RuntimeError(ELSEWHERE)
        metrics = self._gpu_sampler.with_sample(report.metrics, self._handoff.touch())
        if metrics is not report.metrics:
            report = replace(report, metrics=metrics)
        self._hand_over(report)

    def _send_unrecorded(self) -> None:
        """Send the reports of earlier attempts that the driver does not have."""
        for report in self._journal.unrecorded():
            self._trained_before_s = max(self._order.trained_s, report.train_s)
            self._hand_over(report, again=True)

    def _hand_over(self, report: Report, *, again: bool = False) -> None:
        now = time.monotonic()
        if not again:
            self._journal.append(report, now)
            self._update_checkpoints(report)
        at_rung = self._reaches_rung(report)
        if at_rung and self._order.pauses:
            if again:
                self._checkpoints.restore()  # finds the step of what earlier attempts have saved
            self.saved = self._checkpoints.write_now()
        due = at_rung or self._ends(report)
        if due:
            self._journal.flush()
        try:
            self._handoff.put(report, since=now, due=due)
        except TrialEnded as ended:
            ended.complete = self._is_last(report)
            raise

    def _update_checkpoints(self, report: Report) -> None:
        """Pass the loss on. At the last report, the checkpoints are written before the driver gets it."""
        objective = self._settings.objective
        value = report.metrics.get(objective.metric)
        if value is None or objective.diverges(value):
            self._checkpoints.report(report.step, None)
            return
        loss = objective.loss(value)
        self._loss = min(loss, self._loss) if objective.at == "best" else loss
        self._checkpoints.report(report.step, loss)
        if self._is_last(report):
            self._checkpoints.close(self._settings.keep)

    def _reaches_rung(self, report: Report) -> bool:
        recorded = self._order.recorded
        if recorded is not None and report.step <= recorded:  # the driver has decided about it
            return False
        here = reached(self._order.unit, report.step, report.train_s)
        if self._objective_of(report) is None or self._next_rung is None or here < self._next_rung:
            return False
        self._next_rung = self._rung_after(here)
        return True

    def _ends(self, report: Report) -> bool:
        """Whether the report may end the trial, or the sweep, wherever the rungs are."""
        objective, value = self._settings.objective, self._objective_of(report)
        if value is None:
            return False
        return self._is_last(report) or objective.diverges(value) or objective.reaches(value, self._settings.target)

    def _is_last(self, report: Report) -> bool:
        """Whether the training is complete with a report of the objective, as the driver finds, too."""
        max_step, max_time_s = self._settings.max_step, self._settings.max_time_s
        by_step = max_step is not None and report.step >= max_step
        return by_step or (max_time_s is not None and report.train_s >= max_time_s)

    def _objective_of(self, report: Report) -> float | None:
        return report.metrics.get(self._settings.objective.metric)

    def _rung_after(self, here: int) -> int | None:
        rungs = self._order.rungs
        position = bisect_right(rungs, here)
        return rungs[position] if position < len(rungs) else None


def end_of(error: BaseException) -> AttemptEnd:
    """The end of an attempt whose trainable raised an exception."""
    if isinstance(error, ProgramFailed):
        return AttemptEnd(failure=describe(error), wordless=error.wordless, at=error.at)
    return AttemptEnd(failure=describe(error))
