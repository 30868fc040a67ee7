"""The share of a GPU that each trial gets. With `gpu: packed`, the first trials are measured, then the share is set.

Pure. The first trials have a GPU each. As soon as enough are measured, as many trials share a GPU as fit by the
largest peak measured. A trial that needs more runs out of memory and is retried with twice the share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.spec.trial_resources import GRAIN
from trainables.process.device import CONTEXT

FIRST = 3
"""The number of trials to measure: several, because configurations differ, but few, because each occupies a GPU."""

SETTLED = 2
"""Samples after which a running trial counts as measured; the first may precede the optimizer's state."""

HEADROOM = 1.2
"""Memory reserved for a trial, relative to the largest peak measured: for fragmentation and larger configurations."""

MOST = 8
"""The most trials that share a GPU: more would only wait for each other's kernels."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The share of a GPU for each trial from now on, and the reason."""

    gpus: float  # 1/k for k trials on a GPU, rounded down to Ray's resolution
    reason: str


class GpuShares:
    """The share of a GPU for the trials of one sweep.

    Attributes:
        gpus: The share of a trial that starts now, unless it ran out of memory before.
        measuring: Whether the share still has to be chosen.
    """

    def __init__(self, gpus: float, *, packed: bool = False) -> None:
        """
        Args:
            gpus: GPUs per trial by the spec; with ``packed``, until the share is chosen.
            packed: Whether to measure trials and choose the share.
        """
        self.gpus = gpus
        self.measuring = packed and gpus > 0
        self._samples: dict[int, int] = {}  # by trial
        self._peak = 0.0  # the largest fraction of a GPU that any trial needs
        self._peak_text = ""  # the same in GB, in words
        self._ended: set[int] = set()

    def chosen(self, gpus: float) -> None:
        """Set the share that was chosen, now or before a restart."""
        self.gpus = gpus
        self.measuring = False

    def measured(self, trial: int, *, peak_gb: float, size_gb: float) -> Choice | None:
        """Take the memory peak of a running trial; returns the choice as soon as it can be made.

        Args:
            trial: The number of the trial.
            peak_gb: The most memory that the trial has held so far, in 10^9 bytes.
            size_gb: The memory of the GPU, in 10^9 bytes.
        """
        if not self.measuring:
            return None
        self._samples[trial] = self._samples.get(trial, 0) + 1
        needs = (HEADROOM * peak_gb + CONTEXT / 1e9) / size_gb
        if needs > self._peak:
            self._peak = needs
            self._peak_text = f"{peak_gb:.1f} of {size_gb:.1f} GB"
        return self._choice()

    def ended(self, trial: int) -> Choice | None:
        """Take the end of a trial that did not fail; returns the choice as soon as it can be made."""
        if not self.measuring:
            return None
        self._ended.add(trial)
        return self._choice()

    def _choice(self) -> Choice | None:
        done = [trial for trial, count in self._samples.items() if count >= SETTLED or trial in self._ended]
        if len(done) >= FIRST:
            choice = self._by_peak(len(done))
        elif len(self._ended - self._samples.keys()) >= FIRST:
            choice = Choice(
                gpus=1.0,
                reason="gpu: packed: 1 trial per GPU, because torch used no CUDA GPU in the first trials, so their"
                " memory could not be measured",
            )
        else:
            return None
        self.chosen(choice.gpus)
        return choice

    def _by_peak(self, count: int) -> Choice:
        together = max(1, min(MOST, int(1 / self._peak)))
        trials = "1 trial per GPU" if together == 1 else f"{together} trials share a GPU"
        reason = f"gpu: packed: {trials}, because the first {count} used up to {self._peak_text} of memory"
        gpus = (GRAIN // together) / GRAIN
        return Choice(gpus=gpus, reason=reason)


def larger(gpus: float) -> float | None:
    """Twice a share of a GPU, at most 1; None for whole GPUs, which cannot be enlarged."""
    return min(1.0, 2 * gpus) if 0 < gpus < 1 else None


def extra_slots(gpus: float, share: float) -> int:
    """The slots that a trial takes beyond one, because its ``gpus`` exceed the ``share`` of the other trials."""
    if not 0 < share < gpus:
        return 0
    return min(math.ceil(gpus / share - 1e-9), int(1 / share + 1e-9)) - 1
