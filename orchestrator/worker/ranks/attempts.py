"""Attempts of the ranks of a trial: rank 0 reports and saves for all, the others follow it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from orchestrator.core.events import Start
from orchestrator.worker.attempt import ELSEWHERE, PATIENCE_S, Attempt
from orchestrator.worker.log_capture import Log
from orchestrator.worker.messages import AttemptEnd, WorkerSettings
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.ranks.verdicts import Announcer, Listener
from trainables.checkpoints.saving import Checkpoints
from trainables.checkpoints.snapshot import Snapshot
from trainables.command.program import Program
from trainables.process.isolation import Isolation
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

THERE_S = 60.0
"""Seconds that a checkpoint waits until all ranks have read the one that it replaces."""


def attempt_of(
    order: Start, settings: WorkerSettings, run: Callable[[Trial], object], isolation: Isolation, part: Part = ALONE
) -> Attempt:
    """The attempt of one rank; arguments as of Attempt."""
    if part.ranks == 1:
        return Attempt(order, settings, run, isolation)
    kind = Following if part.rank else Leading
    return kind(order, settings, run, isolation, part)


class Leading(Attempt):
    """Rank 0 of several: an ordinary attempt, which tells the others how far the trial goes."""

    def _train(self) -> AttemptEnd | None:
        self._announcer = Announcer(self._part.verdicts, others=self._part.ranks - 1)
        finished = False
        try:
            ended = super()._train()
            finished = ended is not None and ended.failure is None
            return ended
        finally:
            self._announcer.over(finished=finished)
            self._announcer.close()

    def _hand_over(self, report: Report, *, again: bool = False) -> None:
        try:
            super()._hand_over(report, again=again)
        except TrialEnded:
            self._announcer.over(finished=False)
            raise
        self._announcer.decided(report.step)

    def _turn(self) -> Callable[[], None]:
        return self._announcer.turn

    def _before_write(self) -> None:
        if not self._announcer.all_there(THERE_S):
            raise OSError("the other ranks have not begun")
        super()._before_write()


class Following(Attempt):
    """Another rank: its reports wait for the word of rank 0 and are recorded nowhere, and it saves nothing."""

    def __init__(
        self,
        order: Start,
        settings: WorkerSettings,
        run: Callable[[Trial], object],
        isolation: Isolation,
        part: Part,
    ) -> None:
        super().__init__(order, settings, run, isolation, part)
        self._checkpoints = self._saved_by_rank_0 = SavedByRank0(self._checkpoints_directory)
        self._listener = Listener(part.verdicts)

    def end(self) -> bool:
        """End the training where rank 0 ends it, or by force; returns whether it has ended."""
        # a program hears nothing of a report at which all ranks end: it is told at the moment when that of rank 0 is
        if isinstance(self._settings.trainable, Program) or not self._done.wait(PATIENCE_S):
            self._listener.close()
        return super().end()

    def _is_to_end(self) -> bool:
        return super()._is_to_end() or self._listener.ended

    def _turn(self) -> Callable[[], None]:
        def turn() -> None:
            self._handoff.touch()
            if not self._listener.turn():
                raise TrialEnded

        return turn

    def _train(self) -> AttemptEnd | None:
        try:
            return super()._train()
        finally:
            self._listener.close()

    def _send_unrecorded(self) -> None:
        """Rank 0 sends them. It writes no checkpoint before this rank has read the one that is there."""
        self._saved_by_rank_0.read()
        self._listener.listen()

    def _watched(self, log: Log) -> AbstractContextManager[None]:
        return nullcontext()  # rank 0 is watched, and falls silent if another does

    def _sink(self, report: Report) -> None:
        if os.getpid() != self._process:
            self._reported_elsewhere[0] = 1
            raise RuntimeError(ELSEWHERE)
        self._handoff.touch()
        if not self._listener.goes_on(report.step):
            raise TrialEnded


class SavedByRank0(Checkpoints):
    """The state that rank 0 has saved, as it was when the attempt began."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._read: Snapshot | None = None

    def read(self) -> None:
        """Read the state, before rank 0 writes the next."""
        self._read = super().restore()

    def restore(self) -> Snapshot | None:
        """What was read."""
        return self._read

    def save(self, step: int, state: Mapping[str, Any], path: str | os.PathLike[str] | None = None) -> None:
        """Save nothing: rank 0 does."""
