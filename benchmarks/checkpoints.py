"""How much does a checkpoint of 10 MB slow down the training that saves one each second?

On the same disk: plain `torch.save` of the state with an fsync, without which a crash of the machine may leave half a
checkpoint; and `trial.save` in its two parts, copying the state and writing it, with fsync and rename. In a sweep
only the copy blocks the training, and a thread writes in the background. The share that is hidden is measured during
a training, relative to copying and writing together. Plain `torch.save` without an fsync is given for comparison.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

LAYERS, WIDTH = 10, 500  # 10.02 MB of weights
ROUNDS = 12
SECONDS = 8


def saving() -> Figures:
    """Measure all variants in turn, in one process."""
    import torch

    from trainables.checkpoints.files import load
    from trainables.checkpoints.saving import Checkpoints
    from trainables.trial import Trial

    torch.set_num_threads(1)
    model = torch.nn.Sequential(*(torch.nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)))
    batch = torch.randn(64, WIDTH)
    beside = Checkpoints(Path("beside"), every_s=1.0)
    held = Trial(config={}, checkpoints=beside)

    def plain() -> None:
        with open("plain.pt", "wb") as file:
            torch.save(model.state_dict(), file)
            file.flush()
            os.fsync(file.fileno())

    times: dict[str, list[float]] = {}
    for step in range(ROUNDS + 1):
        checkpoints = Checkpoints(Path("apart"), every_s=1_000.0)  # nothing is due before it is closed
        apart = Trial(config={}, checkpoints=checkpoints)
        ways: dict[str, Callable[[], object]] = {
            "unsynced_ms": lambda: torch.save(model.state_dict(), "unsynced.pt"),
            "plain_ms": plain,
            "copy_ms": lambda step=step, apart=apart: apart.save(step=step, model=model),  # type: ignore[misc]
            "write_ms": checkpoints.close,
        }
        for name, save in ways.items():
            seconds = _seconds(save)
            if step:  # the first imports and makes directories
                times.setdefault(name, []).append(seconds * 1e3)
        time.sleep(0.1)
    began = time.perf_counter()
    for step in range(SECONDS + 1):
        while time.perf_counter() < began + step:
            with torch.no_grad():
                model(batch)  # training goes on while the thread writes
        seconds = _seconds(lambda step=step: held.save(step=step, model=model))  # type: ignore[misc]
        if step:
            times.setdefault("held_ms", []).append(seconds * 1e3)
    beside.close()
    for directory, last in (("apart", ROUNDS), ("beside", SECONDS)):
        saved = load(Path(directory) / "last.pt")
        assert saved["step"] == last
        assert all(torch.equal(saved["model"][name], weights) for name, weights in model.state_dict().items())
    middle = {name: statistics.median(values) for name, values in times.items()}
    return {**middle, "hidden_percent": 100 * (1 - middle["held_ms"] / (middle["copy_ms"] + middle["write_ms"]))}


def _seconds(save: Callable[[], object]) -> float:
    began = time.perf_counter()
    save()
    return time.perf_counter() - began


QUESTION = Question(
    name="checkpoints",
    title="A checkpoint of 10 MB each second",
    cases={"saving": Case(run=saving)},
    comparisons=[
        Comparison(
            row="11",
            what="writing a checkpoint, against torch.save with an fsync",
            figure="write_ms",
            unit="ms",
            ours="saving",
            peer="saving",
            peer_figure="plain_ms",
            target=1 / 1.2,
        ),
        Comparison(
            row="11",
            what="of copy and writing, hidden from the training",
            figure="hidden_percent",
            unit="%",
            ours="saving",
            more=True,
            target=80,
        ),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
