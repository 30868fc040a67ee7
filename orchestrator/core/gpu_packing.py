"""How much of a GPU each trial of a sweep gets; with `gpu: packed` it is measured first, and then chosen once.

Pure. The first trials have a GPU each. As soon as enough of them are measured, as many share a GPU as fit by the
largest of their peaks; whoever needs more than all of these runs out of memory, and gets twice the share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainables.process.device import CONTEXT

FIRST = 3
"""So many trials are measured: configurations differ in what they need, and each one measured keeps a GPU to itself."""

SETTLED = 2
"""After so many looks a running trial counts as measured: the first may come before the optimiser has its state."""

HEADROOM = 1.2
"""What is set apart for a trial, as a multiple of the largest peak measured: fragments, and larger configurations."""

MOST = 8
"""More trials never share a GPU: they would wait for each other's kernels."""

GRAIN = 10_000
"""A share is cut off to a whole number of these parts of a GPU, as Ray counts them; it would round a sixth up, and five
would fit."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How many trials share a GPU from now on, and why."""

    gpus: float  # of each trial; 1/k, as near as Ray counts
    reason: str


class GpuShares:
    """GPUs of the trials of one sweep.

    Attributes:
        gpus: What a trial gets that is started now, unless it ran out of memory before.
        measuring: Whether that is still to be chosen.
    """

    def __init__(self, gpus: float, *, packed: bool = False) -> None:
        """
        Args:
            gpus: Of a trial, by the spec; before the choice if they are to be packed.
            packed: Whether they are.
        """
        self.gpus = gpus
        self.measuring = packed and gpus > 0
        self._looks: dict[int, int] = {}  # by trial
        self._peak = 0.0  # the largest part of a GPU that any trial needs
        self._told = ""  # of which that is
        self._ended: set[int] = set()

    def chosen(self, gpus: float) -> None:
        """It is chosen, now or before a restart."""
        self.gpus = gpus
        self.measuring = False

    def measured(self, trial: int, *, peak_gb: float, size_gb: float) -> Choice | None:
        """A trial has held so much of the memory of its GPU so far; returns the choice if it can be made."""
        if not self.measuring:
            return None
        self._looks[trial] = self._looks.get(trial, 0) + 1
        needs = (HEADROOM * peak_gb + CONTEXT / 1e9) / size_gb
        if needs > self._peak:
            self._peak = needs
            self._told = f"{peak_gb:.1f} of {size_gb:.1f} GB"
        return self._choice()

    def ended(self, trial: int) -> Choice | None:
        """A trial has come to its end, without an error; returns the choice if it can be made."""
        if not self.measuring:
            return None
        self._ended.add(trial)
        return self._choice()

    def _choice(self) -> Choice | None:
        done = [trial for trial, looks in self._looks.items() if looks >= SETTLED or trial in self._ended]
        if len(done) >= FIRST:
            choice = self._by_peak(len(done))
        elif len(self._ended - self._looks.keys()) >= FIRST:
            choice = Choice(
                gpus=1.0,
                reason="gpu: packed: one trial a GPU, because torch used no CUDA GPU in the first trials, so that their"
                " memory cannot be measured",
            )
        else:
            return None
        self.chosen(choice.gpus)
        return choice

    def _by_peak(self, count: int) -> Choice:
        together = max(1, min(MOST, int(1 / self._peak)))
        trials = "1 trial a GPU" if together == 1 else f"{together} trials share a GPU"
        reason = f"gpu: packed: {trials}, because the first {count} held up to {self._told} of its memory"
        gpus = (GRAIN // together) / GRAIN
        return Choice(gpus=gpus, reason=reason)


def larger(gpus: float) -> float | None:
    """Twice a share of a GPU, at most all of it; None if it is no share: there is no more to be had."""
    return min(1.0, 2 * gpus) if 0 < gpus < 1 else None


def extra_slots(gpus: float, share: float) -> int:
    """How many more slots than one a trial takes whose share of a GPU is larger than that of the others."""
    if not 0 < share < gpus:
        return 0
    return min(math.ceil(gpus / share - 1e-9), int(1 / share + 1e-9)) - 1
