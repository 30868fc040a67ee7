"""A trial does not affect the next one by any setting in RESTORED."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import textwrap
import warnings
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.distributed as dist

from trainables.process.isolation import RESTORED, Restored, SharedProcess, free_memory


def change_environment() -> None:
    os.environ["LEFT_BY_A_TRIAL"] = "1"
    os.environ["HOME"] = "/nowhere"
    del os.environ["PATH"]


CHANGE: dict[str, Callable[[], object]] = {
    "working directory": lambda: os.chdir("/"),
    "environment": change_environment,
    "garbage collector": gc.disable,
    "torch threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch grad mode": lambda: torch.set_grad_enabled(False),
    "torch process group": lambda: dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1),
}
"""How a trial would change each thing. A thing that is listed and not changed here fails the tests."""


@pytest.fixture(autouse=True)
def safe() -> Iterator[None]:
    """Restore the process after a failing test."""
    isolation = SharedProcess()
    yield
    isolation.restore()


@pytest.mark.parametrize("thing", RESTORED, ids=lambda thing: thing.name)
def test_each_listed_thing_is_restored(thing: Restored) -> None:
    isolation, before = SharedProcess(), thing.capture()
    isolation.prepare(seed=0, threads=torch.get_num_threads())
    CHANGE[thing.name]()
    assert thing.capture() != before, "the test must change it"

    isolation.restore()

    assert thing.capture() == before


def test_what_is_restored_works_again() -> None:
    isolation = SharedProcess()
    for change in CHANGE.values():
        change()

    isolation.restore()

    weight = torch.zeros(2, requires_grad=True)
    (weight * 2).sum().backward()
    assert weight.dtype == torch.float32
    assert weight.device.type == "cpu"
    assert weight.grad is not None
    with pytest.raises(UserWarning, match="shown"):
        warnings.warn("shown as the error it is in these tests", UserWarning, stacklevel=1)
    assert "LEFT_BY_A_TRIAL" not in os.environ
    assert subprocess.run(["true"]).returncode == 0


def test_a_deleted_working_directory_is_left(tmp_path_factory: pytest.TempPathFactory) -> None:
    isolation, before, gone = SharedProcess(), os.getcwd(), tmp_path_factory.mktemp("gone")
    os.chdir(gone)
    gone.rmdir()

    isolation.restore()

    assert os.getcwd() == before


def test_prepare_undoes_what_happened_between_trials() -> None:
    isolation, before = SharedProcess(), os.getcwd()
    isolation.restore()
    os.chdir("/")
    isolation.prepare(seed=0, threads=1)
    assert os.getcwd() == before


def test_prepare_seeds_every_generator() -> None:
    isolation = SharedProcess()

    def draw(seed: int) -> tuple[float, float, float]:
        isolation.prepare(seed=seed, threads=1)
        return random.random(), float(np.random.random()), float(torch.rand(1))

    first = draw(7)
    assert draw(7) == first
    assert all(a != b for a, b in zip(draw(8), first, strict=True))


def test_prepare_gives_threads_to_torch_and_to_what_the_trial_starts() -> None:
    isolation = SharedProcess()
    isolation.prepare(seed=0, threads=3)
    assert torch.get_num_threads() == 3
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_free_memory_lets_go_of_a_cycle() -> None:
    class Node:
        def __init__(self) -> None:
            self.itself = self

    alive = weakref.ref(Node())
    free_memory()
    assert alive() is None


def in_a_new_process(code: str) -> None:
    """Run code in a process without torch imported; a failed assert there fails the test."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_torch_imported_by_a_trial_returns_to_its_defaults() -> None:
    """The state right after importing torch is never captured, so RESTORED must give it correctly."""
    in_a_new_process("""
        import sys
        from trainables.process.isolation import RESTORED, SharedProcess

        isolation = SharedProcess()
        isolation.prepare(seed=0, threads=1)
        assert "torch" not in sys.modules
        isolation.restore()

        isolation.prepare(seed=0, threads=1)
        import torch
        things = [thing for thing in RESTORED if thing.library and thing.name != "torch threads"]
        fresh = {thing.name: thing.capture() for thing in things}
        assert fresh == {thing.name: thing.at_import() for thing in things}, fresh
        assert torch.get_num_threads() == 1, "as prepared"
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        isolation.restore()
        now = {thing.name: thing.capture() for thing in things}
        assert now == fresh, now
    """)


def test_what_importing_the_trainable_sets_stays() -> None:
    in_a_new_process("""
        from trainables.process.isolation import SharedProcess

        isolation = SharedProcess()
        import torch  # as a trainable's module does, before its first trial
        torch.set_default_dtype(torch.float64)
        for _ in range(2):
            isolation.prepare(seed=0, threads=1)
            assert torch.get_default_dtype() == torch.float64
            torch.set_default_dtype(torch.float16)
            isolation.restore()
    """)


def test_an_idle_round_takes_under_a_millisecond_without_torch() -> None:
    in_a_new_process("""
        import sys, time
        from trainables.process.isolation import SharedProcess

        isolation = SharedProcess()
        times = []
        for _ in range(50):
            start = time.perf_counter()
            isolation.prepare(seed=0, threads=1)
            isolation.restore()
            times.append(time.perf_counter() - start)
        assert min(times) < 1e-3, min(times)
        assert "torch" not in sys.modules
    """)
