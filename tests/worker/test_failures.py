"""Failures are told apart by the errors of Python, torch and Ray."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from orchestrator.core.rows import GPU_OUT_OF_MEMORY
from orchestrator.worker.failures import describe, memory_left, memory_left_message, worker_died
from trainables.process.isolation import left_behind

ALLOCATOR = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 15.77 GiB"


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(ALLOCATOR),
        torch.cuda.OutOfMemoryError("HIP out of memory. Tried to allocate 2.00 GiB"),
        torch.OutOfMemoryError("Allocation on device"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.89 GB, other allocations: 384.00 KB)"),
        ValueError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 68719476736 bytes."),
    ],
)
def test_running_out_of_gpu_memory_has_its_own_type_and_keeps_its_message(error: BaseException) -> None:
    failure = describe(raised(error))
    assert failure.type == GPU_OUT_OF_MEMORY
    assert failure.message == str(error)
    assert failure.fingerprint.startswith(f"{GPU_OUT_OF_MEMORY} at test_failures.py:")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7.45 GiB for an array"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("the journal is out of memory of what CUDA was"),
        type("OutOfMemoryError", (Exception,), {})("mine"),
    ],
)
def test_other_errors_are_not_taken_for_lack_of_gpu_memory(error: BaseException) -> None:
    assert describe(raised(error)).type == type(error).__name__


def test_a_node_without_memory_is_distinguished_from_a_crash(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    log.write_text("epoch 3\n")
    ray = "1 worker(s) were killed due to the node running low on memory. Memory on the node was 15.3GB / 16GB"
    full, crashed = worker_died(ray, log, None), worker_died("The actor is dead: exit code 1", log, None)
    assert full.message == (
        "the worker process ended because the node ran out of memory; set resources.memory to what a trial"
        " needs; last line of its log: epoch 3"
    )
    assert "a signal or a crash" in crashed.message
    assert full.type == crashed.type == "WorkerDied"
    assert full.fingerprint != crashed.fingerprint


def test_a_process_replaced_for_gpu_memory_is_distinguished_from_a_failed_trial() -> None:
    """By the worker's message, as Ray Tune passes it on."""
    said = left_behind(2.5e9, lambda: ["train.CACHE (2.4 GB)"])
    last = f"orchestrator.worker.actor.WorkerSpent: {memory_left_message(said)}"
    ray = f"ray::Worker.reset()\n  File worker.py, line 57\n{last}\n\nmore of Ray's\n"
    assert memory_left(ray) == (
        "worker processes are replaced: a trial left 2.5 GB of GPU memory allocated, held by train.CACHE (2.4 GB)"
    )
    assert memory_left(ray.replace(memory_left_message(said), "the trial before this one failed")) == ""


def test_an_error_that_cannot_be_shown_is_still_a_failure() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise KeyError("cause")

        __repr__ = __str__

    failure = describe(raised(Broken()))
    assert failure.type == "Broken"
    assert failure.message == "its message cannot be shown: KeyError in Broken.__str__"
    assert "SystemExit" in describe(raised(SystemExit(Broken()))).type
