"""Removes the journals of trials that have ended, as soon as all of their reports are recorded."""

from __future__ import annotations

from contextlib import suppress

from orchestrator.core.rows import State, TrialRow
from orchestrator.core.sweep import Sweep
from orchestrator.records.paths import SweepPaths, numbered
from orchestrator.worker.report_journal import remove, unrecorded


class JournalRetention:
    """Removes journals while a sweep runs, and what is left when it has ended.

    A cancelled trial keeps its journal while reports in it are not recorded: a resume may continue the trial.
    """

    def __init__(self, sweep: Sweep, paths: SweepPaths) -> None:
        self._sweep = sweep
        self._paths = paths
        self._ended: list[int] = []  # trials whose last rows may not be recorded yet

    def trial_ended(self, row: TrialRow) -> None:
        """Remove the trial's journal at the next :meth:`all_recorded`."""
        self._ended.append(row.trial)

    def all_recorded(self) -> None:
        """Remove the journals of ended trials, now that the records are complete."""
        ended, self._ended = self._ended, []
        for trial in ended:
            if self._is_over(trial):
                with suppress(OSError):  # `finish` tries again
                    remove(self._paths.journal(trial))

    def finish(self) -> None:
        """Remove what is left, also by drivers that were killed, after all trials and workers have ended.

        Raises:
            OSError: A journal cannot be read or removed.
        """
        for trial in numbered(self._paths.journals):
            journal, last = self._paths.journal(trial), self._sweep.trials[trial].last_step
            if self._is_over(trial) or not unrecorded(journal, -1 if last is None else last):
                remove(journal)
        with suppress(OSError):  # not empty
            self._paths.journals.rmdir()

    def _is_over(self, trial: int) -> bool:
        state = self._sweep.trials[trial].state
        return state.ended and state is not State.CANCELLED
