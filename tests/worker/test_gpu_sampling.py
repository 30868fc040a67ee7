"""GPU metrics are added to a trial's own; only torch's answers about the GPU are faked."""

from __future__ import annotations

import pytest

from orchestrator.worker.gpu_sampling import EVERY_S, GpuSampler
from trainables.process import device
from trainables.process.device import Use

METRICS = {"loss": 0.5}


def test_a_sample_is_taken_once_a_second_from_the_first_report_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "use", lambda: Use(peak=3e9, size=80e9, utilisation=0.7))
    sampler = GpuSampler()
    sampled = {"gpu_memory_gb": 3.0, "gpu_utilisation": 0.7, "loss": 0.5}
    assert sampler.with_sample(METRICS, 10.0) == sampled
    assert sampler.with_sample(METRICS, 10.0 + EVERY_S / 2) == METRICS
    assert sampler.with_sample(METRICS, 10.0 + EVERY_S) == sampled
    assert sampler.gpu_gb == 80.0


def test_without_a_gpu_nothing_is_added() -> None:
    sampler = GpuSampler()
    assert sampler.with_sample(METRICS, 0.0) is METRICS
    assert sampler.gpu_gb is None


def test_unknown_figures_are_omitted_and_a_trials_own_metric_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "use", lambda: Use(peak=3e9, size=80e9))
    assert GpuSampler().with_sample({"gpu_memory_gb": 1.0}, 0.0) == {"gpu_memory_gb": 1.0}
