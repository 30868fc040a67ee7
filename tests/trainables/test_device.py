"""How GPUs are used, on a machine without one: a fake torch.cuda with the real names and signatures.

These tests cannot show what CUDA does; docs/cluster.md lists that.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock, create_autospec

import pytest
import torch

from trainables.process import device
from trainables.process.isolation import LEFT, SharedProcess, left_behind

SIZE = 16e9


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[MagicMock]:
    """torch.cuda with one GPU of 16 GB, in use."""
    pretended = create_autospec(torch.cuda)
    pretended.is_available.return_value = True
    pretended.is_initialized.return_value = True
    pretended.device_count.return_value = 1
    pretended.get_device_properties.return_value.total_memory = SIZE
    pretended.max_memory_reserved.return_value = 3e9
    pretended.memory_allocated.return_value = 0
    pretended.utilization.return_value = 40
    monkeypatch.setattr(torch, "cuda", pretended)
    yield pretended
    monkeypatch.undo()
    device.begin_trial(0.0)


@pytest.mark.parametrize(
    ("share", "size", "fraction"),
    [
        (1.0, SIZE, 1.0),
        (2.0, SIZE, 1.0),
        (0.5, SIZE, 0.5 - 0.5 / 16),
        (0.125, 4e9, 0.0625),  # at least half of a small share
    ],
)
def test_a_share_of_a_gpu_is_the_share_of_its_memory_less_what_the_driver_takes(
    share: float, size: float, fraction: float
) -> None:
    assert device.allowed(share, size) == pytest.approx(fraction)


def test_all_shares_of_a_gpu_fit_on_it_with_their_contexts() -> None:
    for k in range(1, 9):
        assert k * (device.allowed(1 / k, 80e9) * 80e9 + device.CONTEXT) <= 80e9 + device.CONTEXT


def test_the_limit_is_set_before_each_trial_and_peaks_begin_anew(cuda: MagicMock) -> None:
    isolation = SharedProcess()
    isolation.prepare(seed=0, threads=1, gpus=0.5)
    cuda.set_per_process_memory_fraction.assert_called_once_with(pytest.approx(0.46875), 0)
    cuda.reset_peak_memory_stats.assert_called_once_with(0)
    assert isolation.restore() == ""
    cuda.empty_cache.assert_called_once_with()

    isolation.prepare(seed=0, threads=1, gpus=1.0)  # a trial that set a limit itself does not set it for the next
    cuda.set_per_process_memory_fraction.assert_called_with(1.0, 0)


@pytest.mark.parametrize("gpus", [0.0, 1.0, 2.0])
def test_a_gpu_that_nobody_uses_yet_is_left_alone(cuda: MagicMock, gpus: float) -> None:
    cuda.is_initialized.return_value = False
    device.begin_trial(gpus)
    cuda.set_per_process_memory_fraction.assert_not_called()
    assert device.use() is None
    assert device.held() == 0


def test_a_share_is_limited_before_the_trial_begins_to_use_the_gpu(cuda: MagicMock) -> None:
    cuda.is_initialized.return_value = False
    device.begin_trial(0.25)
    cuda.set_per_process_memory_fraction.assert_called_once()


def test_without_a_gpu_there_is_nothing_to_limit_or_to_measure() -> None:
    isolation = SharedProcess()
    isolation.prepare(seed=0, threads=1, gpus=0.5)  # fake, as with --gpus
    assert torch.ones(3).sum() == 3
    assert device.use() is None
    assert isolation.restore() == ""


def test_a_trial_that_imports_torch_itself_is_limited_too(tmp_path: Path) -> None:
    """In another process, with a fake torch that only records calls."""
    (tmp_path / "torch.py").write_text(
        textwrap.dedent("""
        import types
        asked = []
        properties = types.SimpleNamespace(total_memory=16e9)
        cuda = types.SimpleNamespace(
            is_initialized=lambda: False, is_available=lambda: True, get_device_properties=lambda _: properties,
            set_per_process_memory_fraction=lambda fraction, device: asked.append((fraction, device)))
        manual_seed = lambda seed: None
        """)
    )
    code = """
        import sys
        from trainables.process import device
        from trainables.process import seeding
        seeding.seed_all(1)
        device.begin_trial(0.5)
        device.begin_trial(0.25)
        assert "torch" not in sys.modules
        import torch
        print(torch.asked)
        """
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[(0.21875, 0)]", done.stderr


def test_use_is_that_of_the_fullest_gpu(cuda: MagicMock) -> None:
    cuda.device_count.return_value = 2
    cuda.max_memory_reserved.side_effect = {0: 1e9, 1: 5e9}.__getitem__
    assert device.use() == device.Use(peak=5e9, size=SIZE, utilisation=0.4)
    cuda.utilization.assert_called_once_with(1)


def test_a_driver_that_does_not_tell_is_no_trouble(cuda: MagicMock) -> None:
    cuda.utilization.side_effect = ModuleNotFoundError("pynvml")
    assert device.use() == device.Use(peak=3e9, size=SIZE)


def test_memory_that_stays_taken_spends_the_process(cuda: MagicMock) -> None:
    cuda.memory_allocated.return_value = 1e9  # allocated by importing the trainable
    isolation = SharedProcess()
    isolation.prepare(seed=0, threads=1, gpus=1.0)
    assert isolation.restore() == ""
    cuda.memory_allocated.return_value = 3.5e9
    assert isolation.restore().startswith("a trial left 2.5 GB of GPU memory allocated")


def test_who_holds_memory_is_looked_for_only_if_it_is_much() -> None:
    assert left_behind(LEFT, lambda: pytest.fail("asked")) == ""
    assert left_behind(2e9, lambda: ["a.B (1.0 GB)"]).endswith("held by a.B (1.0 GB)")
    assert "no module attribute" in left_behind(2e9, list)
    assert "no module attribute" in left_behind(2e9, lambda: {}["a module that throws"])


def test_holders_are_named_largest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ModuleType("mine")
    mine.CACHE = {"a": torch.zeros(300, dtype=torch.float64), "b": [torch.zeros(9)]}  # type: ignore[attr-defined]
    mine.model = torch.nn.Linear(100, 100)  # type: ignore[attr-defined]
    mine.text = "no tensor"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mine", mine)
    held = [each for each in device.holders("cpu") if each.startswith("mine.")]
    assert held == ["mine.model (0.0 GB)", "mine.CACHE (0.0 GB)"]
    assert device.holders("cuda") == []


def test_containers_that_load_what_they_hold_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the lazy mappings of transformers, some of which fail."""

    class Lazy(dict[str, Any]):
        def values(self) -> Any:
            raise ValueError("could not find it")

    monkeypatch.setattr(device, "LAZY", Lazy(a=1), raising=False)
    assert "LAZY" not in " ".join(device.holders("cpu"))
