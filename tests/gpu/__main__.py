"""``make test-gpu``: what a machine without a GPU cannot show, on one with a CUDA GPU, in a few minutes.

Ray is not needed, so that it also runs where only torch is installed, with pydantic, psutil, numpy and pillow. Each
check prints what it saw. ``--cpu`` tries the checks that do not measure a GPU on the CPU, which tests this script.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from orchestrator.core.gpu_packing import Choice, GpuShares, larger
from orchestrator.core.rows import GPU_MEMORY, GPU_OUT_OF_MEMORY, GPU_UTILISATION
from tests.gpu.attempts import Attempts
from trainables.process.device import allowed

TRIALS = 50
"""Trials after which memory must not have grown."""
LEFT_GB = 0.1
"""10^9 bytes that it may have grown by, as other programs use the GPU too."""


def device(attempts: Attempts, on: str) -> str:
    """A trial trains on the device that torch finds, and its parent has not initialised it."""
    ended = attempts.train(what="multiply", size=64, seconds=0.2)
    assert ended.failure is None, ended.failure
    name = torch.cuda.get_device_name() if on == "cuda" else "the CPU"
    return f"a forked trial trains on {name}"


def share_of_memory(attempts: Attempts, on: str) -> str:
    """torch's allocator keeps a trial to its share of the GPU."""
    size = _gb()
    limit = allowed(0.25, size * 1e9) * size
    within = attempts.train(gpus=0.25, what="hold", gb=0.9 * limit)
    beyond = attempts.train(gpus=0.25, what="hold", gb=1.1 * limit)
    assert within.failure is None, within.failure
    assert beyond.failure is not None
    assert beyond.failure.type == GPU_OUT_OF_MEMORY, beyond.failure
    return f"a quarter of {size:.0f} GB allows {0.9 * limit:.1f} GB and refuses {1.1 * limit:.1f} GB"


def out_of_memory_and_again(attempts: Attempts, on: str) -> str:
    """A trial that ran out of its share is told as such, and trains with twice the share."""
    needs = 1.1 * allowed(0.25, _gb() * 1e9) * _gb()
    first = attempts.train(gpus=0.25, what="hold", gb=needs)
    assert first.failure is not None
    assert first.failure.type == GPU_OUT_OF_MEMORY, first.failure
    more = larger(0.25)
    assert more is not None
    second = attempts.train(gpus=more, again=True, what="hold", gb=needs)
    assert second.failure is None, second.failure
    return f"{first.failure.type} with 0.25 of the GPU; the same trial completes with {more:g}"


def memory_left(attempts: Attempts, on: str) -> str:
    """Fifty trials that free nothing leave nothing."""
    held = 0.5 if on == "cuda" else 0.01
    before, began = _used_gb(on), time.monotonic()
    for _ in range(TRIALS):
        ended = attempts.train(what="hold", gb=held)
        assert ended.failure is None, ended.failure
    seconds = (time.monotonic() - began) / TRIALS
    left = _used_gb(on) - before
    assert left < LEFT_GB, f"{left:.2f} GB are left"
    return (
        f"{max(left, 0):.2f} GB left after {TRIALS} trials that held {held:g} GB each; {1000 * seconds:.0f} ms a trial"
    )


def utilisation(attempts: Attempts, on: str) -> str:
    """Reports carry how busy the GPU was, and how much memory the trial took."""
    ended = attempts.train(what="multiply", size=8192, seconds=6.0)
    assert ended.failure is None, ended.failure
    busy = [each[GPU_UTILISATION] for each in ended.metrics.values() if GPU_UTILISATION in each]
    memory = [each[GPU_MEMORY] for each in ended.metrics.values() if GPU_MEMORY in each]
    assert len(busy) >= 3, busy
    assert max(busy) > 0.5, busy
    assert memory[-1] > 3 * 8192**2 * 4 / 1e9 / 2, memory
    return f"{len(busy)} samples in 6 s, up to {100 * max(busy):.0f}% busy and {memory[-1]:.1f} GB"


def packed(attempts: Attempts, on: str) -> str:
    """The share that `gpu: packed` chooses by three trials lets as many trials run at once."""
    shares, needs, choice = GpuShares(1.0, packed=True), 0.15 * _gb(), None
    for number in range(3):
        ended = attempts.train(what="hold", gb=needs, pause=1.1)
        for metrics in ended.metrics.values():
            if choice is None and GPU_MEMORY in metrics and ended.gpu_gb is not None:
                choice = shares.measured(number, peak_gb=metrics[GPU_MEMORY], size_gb=ended.gpu_gb)
        choice = choice or shares.ended(number)
    assert isinstance(choice, Choice)
    together = round(1 / choice.gpus)
    assert together > 1, choice
    with tempfile.TemporaryDirectory() as scratch:
        others = [Attempts(Path(scratch) / str(number)) for number in range(together)]
        try:
            for each in others:
                each.begin(gpus=choice.gpus, what="hold", gb=needs, pause=1.0)
            failures = [each.end().failure for each in others]
        finally:
            for each in others:
                each.close()
    assert not any(failures), failures
    return f"{choice.reason}; {together} at once trained"


def bf16_and_resume(attempts: Attempts, on: str) -> str:
    """Training in bfloat16 learns, and a trial that was killed goes on as if it had not been."""
    whole = attempts.train(what="autocast", steps=20)
    killed = attempts.train(what="autocast", steps=20, dies_at=12)
    assert whole.failure is None, whole.failure
    assert killed.failure is not None
    rest = attempts.train(again=True, what="autocast", steps=20, dies_at=12)
    assert rest.failure is None, rest.failure
    losses = {step: each["loss"] for step, each in whole.metrics.items()}
    assert losses[20] < losses[1] / 2, losses
    resumed = {step: each["loss"] for step, each in rest.metrics.items() if step > 12}
    assert len(resumed) == 8, resumed
    apart = max(abs(resumed[step] - losses[step]) for step in resumed)
    assert apart <= 1e-3 * losses[1], f"{apart} apart"
    return f"loss {losses[1]:.3g} to {losses[20]:.3g}; after a kill at step 12 the rest differs by {apart:.1g}"


def built_in(attempts: Attempts, on: str) -> str:
    """A built-in network learns, with its data on the device and in the precision that it chooses."""
    ended = attempts.train(what="images", **{"with": {"epochs": 4, "lr": 0.02, "batch_size": 32}})
    assert ended.failure is None, ended.failure
    first, last = ended.metrics[1], ended.metrics[4]
    assert last["val_loss"] < first["val_loss"], ended.metrics
    assert last["val_accuracy"] > 0.5, ended.metrics
    return f"vision: {last['val_accuracy']:.0%} of digits, {last['examples_per_s']:,.0f} images/s"


def two_ranks(attempts: Attempts, on: str) -> str:
    """Two processes of one trial share the device."""
    ended = attempts.train(what="ranks")
    assert ended.failure is None, ended.failure
    assert ended.metrics[1]["loss"] == 3.0, ended.metrics
    return "two ranks of one trial on one device sum a tensor with gloo"


CHECKS: tuple[Callable[[Attempts, str], str], ...] = (
    device,
    share_of_memory,
    out_of_memory_and_again,
    memory_left,
    utilisation,
    packed,
    bf16_and_resume,
    built_in,
    two_ranks,
)
WITHOUT_GPU = (device, memory_left, bf16_and_resume, built_in, two_ranks)


def main() -> int:
    """Run the checks; returns 1 if one failed, and 2 if there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="only what needs no GPU, on the CPU")
    on_cpu = parser.parse_args().cpu
    if on_cpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif not torch.cuda.is_available():
        print("torch sees no CUDA GPU on this machine; nothing was tried")
        return 2
    on, failed = "cpu" if on_cpu else "cuda", 0
    print(f"torch {torch.__version__}, Python {sys.version.split()[0]}, {on}")
    with tempfile.TemporaryDirectory(prefix="gpu-") as scratch:
        attempts = Attempts(Path(scratch))
        try:
            for check in WITHOUT_GPU if on_cpu else CHECKS:
                began = time.monotonic()
                name = check.__name__.replace("_", " ")
                try:
                    text = f"ok      {name}: {check(attempts, on)}"
                except Exception as error:
                    failed += 1
                    text = f"FAILED  {name}: {str(error) or traceback.format_exc(limit=-1)}"
                print(f"{text} ({time.monotonic() - began:.0f} s)", flush=True)
        finally:
            attempts.close()
    return 1 if failed else 0


def _gb() -> float:
    """10^9 bytes of memory of the GPU."""
    return float(torch.cuda.mem_get_info()[1]) / 1e9


def _used_gb(on: str) -> float:
    """10^9 bytes that all processes hold on the device; of the CPU, none."""
    if on == "cpu":
        return 0.0
    free, size = torch.cuda.mem_get_info()
    return float(size - free) / 1e9


if __name__ == "__main__":
    sys.exit(main())
