"""All trials train for a few steps, then only the best few train to their end.

Egele et al., "Is One Epoch All You Need For Multi-Fidelity Hyperparameter Optimization?" (arXiv:2307.15422): this
baseline is as good as the elaborate methods on many benchmarks. Nobody goes on while new trials come, so a number of
trials must end the sweep: with a budget of time alone, none would train to its end.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from orchestrator.core.schedulers import Action, Decision, RungSummary
from orchestrator.core.schedulers.rung import SPARE


class TopAfter:
    """The scheduler `top_after`.

    Args:
        mode: "min" or "max".
        step: Where all trials pause, >= 1.
        top: How many of them go on, the best first, once there are no new ones.
    """

    def __init__(self, *, mode: str, step: int, top: int) -> None:
        self._sign = 1.0 if mode == "min" else -1.0
        self._step = step
        self._top = top
        self._losses: list[float] = []  # of all that entered, ascending
        self._entered: set[int] = set()
        self._paused: list[tuple[float, int]] = []  # (loss, trial), ascending
        self._passed = self._stopped = self._diverged = 0

    @property
    def pauses(self) -> bool:
        """All trials pause."""
        return True

    def bracket(self, trial: int) -> int:
        """Every trial is in bracket 0."""
        return 0

    def rungs(self, trial: int) -> tuple[int, ...]:
        """The step where all pause."""
        return (self._step,)

    def report(self, trial: int, step: int, value: float, *, pausable: bool) -> tuple[Decision, ...]:
        """Pause the trial at the step."""
        if trial in self._entered or step < self._step:
            return ()
        return (self._enter(trial, value, Action.PAUSE),)

    def diverge(self, trial: int) -> tuple[Decision, ...]:
        """Stop a trial that diverged before the step."""
        return () if trial in self._entered else (self._enter(trial, self._sign * math.inf, Action.STOP),)

    def restore(self, trial: int, decision: Decision) -> None:
        """Enter the trial again."""
        if trial not in self._entered and decision.rung == self._step:
            self._enter(trial, decision.value, decision.action)

    def _enter(self, trial: int, value: float, action: Action) -> Decision:
        loss = self._sign * value
        self._entered.add(trial)
        bisect.insort(self._losses, loss)
        match action:
            case Action.PAUSE:
                bisect.insort(self._paused, (loss, trial))
            case Action.CONTINUE:
                self._passed += 1
            case Action.STOP | Action.AUDIT:
                self._stopped += 1
                self._diverged += loss == math.inf
        return Decision(rung=self._step, value=value, cutoff=self._sign * self._cutoff(), action=action)

    def _cutoff(self) -> float:
        return self._losses[min(self._top, len(self._losses)) - 1]

    def next_promotion(self, *, closing: bool) -> int | None:
        """The best paused trial, once no new ones come and while fewer than the top have gone on."""
        return self._paused[0][1] if closing and self._paused and self._passed < self._top else None

    def promote(self, trial: int) -> None:
        """Let the trial train to its end."""
        self._leave(trial)
        self._passed += 1

    def next_surplus(self) -> int | None:
        """The worst paused trial, if many more wait than can go on."""
        return self._paused[-1][1] if len(self._paused) > self._top + SPARE else None

    def release(self, trial: int) -> None:
        """Stop the trial at the step."""
        self._leave(trial)
        self._stopped += 1

    def _leave(self, trial: int) -> None:
        self._paused = [each for each in self._paused if each[1] != trial]

    def cutoff_among(self, values: Sequence[float]) -> float | None:
        """The value of the last of the top."""
        losses = sorted(self._sign * value for value in values)
        return self._sign * losses[min(self._top, len(losses)) - 1] if losses else None

    def table(self) -> tuple[RungSummary, ...]:
        """The one rung."""
        return (
            RungSummary(
                bracket=0,
                rung=self._step,
                entered=len(self._losses),
                stopped=self._stopped,
                diverged=self._diverged,
                cutoff=self._sign * self._cutoff() if self._losses else None,
                paused=len(self._paused),
            ),
        )
