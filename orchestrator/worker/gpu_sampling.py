"""Samples what a trial does with its GPU, and puts that beside the metrics it reports."""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.core.rows import GPU_MEMORY, GPU_UTILISATION
from trainables.process import device

EVERY_S = 1.0
"""Between two samples: asking the driver takes about a millisecond, and its own figure is a mean of up to a second."""


class GpuSampler:
    """Of one attempt. Reports in between carry no sample; where there is no GPU to be measured, none does.

    Attributes:
        gpu_gb: 10^9 bytes of memory of the GPU; None as long as none was measured.
    """

    def __init__(self) -> None:
        self.gpu_gb: float | None = None
        self._due = -math.inf

    def with_sample(self, metrics: Mapping[str, float], now: float) -> Mapping[str, float]:
        """The metrics and, if it is time, a sample; a metric of the trial's own goes before one of the same name.

        Args:
            metrics: As the trial reports them.
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
