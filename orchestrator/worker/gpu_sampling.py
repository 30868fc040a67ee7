"""Samples a trial's use of its GPU, and adds the samples to the metrics that the trial reports."""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.core.rows import GPU_MEMORY, GPU_UTILISATION
from trainables.process import device

EVERY_S = 1.0
"""Seconds between two samples: a query takes about a millisecond, and the GPU's own figure is a mean of up to 1 s."""


class GpuSampler:
    """Samples the GPU of one attempt. Reports between two samples carry none.

    Attributes:
        gpu_gb: 10^9 bytes of memory of the GPU; None until a GPU was measured.
    """

    def __init__(self) -> None:
        self.gpu_gb: float | None = None
        self._due = -math.inf

    def with_sample(self, metrics: Mapping[str, float], now: float) -> Mapping[str, float]:
        """The metrics, with a sample if one is due. The trial's own metrics win over samples of the same name.

        Args:
            metrics: The metrics that the trial reports.
            now: Seconds, from any origin.
        """
        if now < self._due:
            return metrics
        self._due = now + EVERY_S
        use = device.use()
        if use is None:
            return metrics
        self.gpu_gb = use.size / 1e9
        sample = {GPU_MEMORY: use.peak / 1e9}
        if use.utilisation is not None:
            sample[GPU_UTILISATION] = use.utilisation
        return sample | dict(metrics)
