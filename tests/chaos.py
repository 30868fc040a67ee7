"""Kills a sweep again and again, resumes it, and counts in its files what that has cost.

``make chaos``, or ``python -m tests.chaos --kills 25``; docs/chaos.md holds what a run said. The tests do it with a few
kills (tests/tune/test_interruptions.py).
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
import psutil

from tests.terminal import Terminal, name_of, signal_all

SPEC = """
name: s
trainable: train.py:train
space: {{x: {{uniform: [0, 1]}}}}
objective: {{metric: loss}}
search: {{method: random, seed: 3}}
scheduler: {{method: none}}
budget: {{trials: {trials}}}
resources: {{gpu: 0}}
trial: {{retries: 10, save_every: {save_every}}}
"""
TRAIN = """
import json, math, os, time

def train(config, trial):
    own = trial.directory / "own.json"
    if {checkpoints!r} == "own" and own.exists():
        state = json.loads(own.read_text())
    else:
        state = {checkpoints!r} == "saved" and trial.restore() or {{"step": 0, "weight": 1.0}}
    weight = state["weight"]
    for step in range(state["step"] + 1, {steps} + 1):
        until = time.monotonic() + float(os.environ["SECONDS_A_STEP"])
        sum(math.sqrt(number) for number in range(20_000))
        time.sleep(max(0.0, until - time.monotonic()))  # equally long on a busy machine: seconds are compared
        weight -= 0.1 * (weight - config["x"])
        if {checkpoints!r} == "saved":
            trial.save(step=step, weight=weight)
        trial.report(step=step, loss=(weight - 0.3) ** 2)
        if {checkpoints!r} == "own":
            new = own.with_suffix(".new")
            new.write_text(json.dumps({{"step": step, "weight": weight}}))
            new.replace(own)
"""
Checkpoints = Literal["saved", "own", "none"]
"""With `trial.save`; in a file of the trainable's own, as Hugging Face's Trainer does; none."""
VICTIMS = ("driver", "worker", "raylet")
START_S = 8.0  # about what a start of Ray takes; a fifth of the kills falls into it


@dataclass(kw_only=True)
class Chaos:
    """A sweep, and what happens to it."""

    kills: int
    trials: int = 40
    steps: int = 30
    seconds_a_step: float = 0.16
    checkpoints: Checkpoints = "saved"
    save_every: float = 0.2
    longest_s: float = 2.2  # between the first report of a session and the kill
    seed: int = 0
    say: Callable[[str], object] = lambda line: None
    killed: Counter[str] = field(default_factory=Counter)
    resumed: int = 0

    def terminal(self, directory: Path) -> Terminal:
        directory.mkdir(parents=True, exist_ok=True)
        spec = SPEC.format(trials=self.trials, save_every=self.save_every)
        terminal = Terminal(directory, spec=spec, train=TRAIN.format(steps=self.steps, checkpoints=self.checkpoints))
        terminal.seconds_a_step = self.seconds_a_step
        return terminal

    def undisturbed(self, terminal: Terminal) -> None:
        code, out = terminal.run("launch", "spec.yaml")
        assert code == 0, out

    def disturbed(self, terminal: Terminal) -> None:
        """Run the sweep to its end, with one kill after the other on the way."""
        draw = random.Random(self.seed)
        process = terminal.start("launch", "spec.yaml")
        terminal.wait_for((terminal.results / "sweep.json").exists, process)  # before that, there is nothing to resume
        for number, victim in zip(range(1, self.kills + 1), itertools.cycle(VICTIMS), strict=False):
            self._wait(terminal, process, draw.uniform(-self.longest_s / 4, self.longest_s))
            assert process.poll() is None, (
                f"it ended before kill {number} with {process.returncode}:\n{process.communicate()[0]}"
            )
            family = psutil.Process(process.pid).children(recursive=True)
            target = _target(victim, family, draw) or psutil.Process(process.pid)
            named = victim if target.pid != process.pid else "driver"
            self.killed[named] += 1
            signal_all([target], signal.SIGKILL)
            self.say(f"kill {number:2}  {named:6}  {terminal.rows():5} reports recorded")
            if named != "worker":
                process.communicate(timeout=90)
                _, alive = psutil.wait_procs(family, timeout=30)
                assert not alive, f"Ray outlived its driver after {named} was killed"
                self.resumed += 1
                process = terminal.start("resume")
        out, _ = process.communicate(timeout=400)
        assert process.returncode == 0, out

    def _wait(self, terminal: Terminal, process: subprocess.Popen[str], moment: float) -> None:
        """Until so many seconds after the next report; a negative moment lies in the start of the session."""
        if moment < 0:
            time.sleep(START_S * -moment / (self.longest_s / 4))
            return
        before = terminal.rows()
        terminal.wait_for(lambda: terminal.rows() > before, process)
        time.sleep(moment)


def _target(victim: str, family: list[psutil.Process], draw: random.Random) -> psutil.Process | None:
    """The process to be killed; None: the driver, because it is its turn, or there is no other yet."""
    if victim == "raylet":
        return next((process for process in family if name_of(process) == "raylet"), None)
    if victim == "worker":
        training = [process for process in family if _trains(process)]
        if training:
            return draw.choice(sorted(training, key=lambda process: process.pid))
    return None


def _trains(process: psutil.Process) -> bool:
    """Whether it has the log of a trial open."""
    try:
        paths = [Path(file.path) for file in process.open_files()]
    except psutil.Error:
        return False
    return any(path.parent.name == "logs" and path.stem.isdigit() for path in paths)


def compare(chaos: Chaos, disturbed: Terminal, undisturbed: Terminal) -> dict[str, float]:
    """Count in the files, and insist; returns the figures worth showing.

    Raises:
        AssertionError: Something was lost, done twice, or came out differently.
    """
    trials, metrics, events = disturbed.trials(), disturbed.metrics(), disturbed.events()
    reference = undisturbed.trials()
    assert trials["state"].tolist() == ["completed"] * chaos.trials, trials["state"].value_counts()
    steps = metrics.groupby("trial")["step"].apply(sorted)
    wrong = {trial: found for trial, found in steps.items() if found != list(range(1, chaos.steps + 1))}
    assert not wrong, f"a (trial, step) is missing or doubled: {wrong}\n{_history(metrics, events, set(wrong))}"
    for trial, own in events.groupby("trial"):
        names = own["event"].tolist()
        assert names.count("completed") == 1, f"trial {trial} completed {names.count('completed')} times"
        assert "running" not in names[names.index("completed") :], f"trial {trial} ran again after it was completed"
    for column in ("config.x", "seed", "objective", "best_step"):
        assert trials[column].tolist() == reference[column].tolist(), column
    pd.testing.assert_series_equal(
        metrics.sort_values(["trial", "step"], ignore_index=True)["loss"],
        undisturbed.metrics().sort_values(["trial", "step"], ignore_index=True)["loss"],
    )
    best = trials.loc[trials["objective"].idxmin()]
    return {
        "attempts": int(trials["attempts"].sum()),
        "best trial": int(best["trial"]),
        "best x": float(best["config.x"]),
        "best loss": float(best["objective"]),
        "training s": float(trials["train_s"].sum()),
        "training s undisturbed": float(reference["train_s"].sum()),
    }


def _history(metrics: pd.DataFrame, events: pd.DataFrame, trials: set[int]) -> str:
    """What is recorded of these trials."""
    columns = ["trial", "attempt", "step", "train_s", "reported_at"]
    rows = metrics[metrics["trial"].isin(trials)].sort_values(["trial", "step"])[columns]
    own = events[events["trial"].isin(trials)][["trial", "at", "event", "reason"]]
    return f"{rows.to_string()}\n{own.to_string()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", choices=get_args(Checkpoints), default="saved", help="of the trainable")
    options = parser.parse_args()
    chaos = Chaos(
        kills=options.kills,
        seed=options.seed,
        checkpoints=options.checkpoints,
        say=lambda line: print(line, flush=True),
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        undisturbed = chaos.terminal(Path(directory, "undisturbed"))
        disturbed = chaos.terminal(Path(directory, "disturbed"))
        try:
            chaos.undisturbed(undisturbed)
            chaos.disturbed(disturbed)
            figures = compare(chaos, disturbed, undisturbed)
        finally:
            undisturbed.close()
            disturbed.close()
    print(f"\n{chaos.trials} trials of {chaos.steps} steps, {sum(chaos.killed.values())} kills: {dict(chaos.killed)}")
    print(f"{chaos.resumed} resumes, {time.monotonic() - began:.0f} s in all")
    for name, figure in figures.items():
        print(f"{name:24}{figure:g}")
    ratio = figures["training s"] / figures["training s undisturbed"]
    print(f"{'ratio':24}{ratio:.3f}")
    print("each (trial, step) once, no completed trial twice, every value as undisturbed")
    if chaos.checkpoints != "none" and abs(ratio - 1) > 0.1:
        sys.exit(f"checkpoints again and again, and yet the ratio of training is {ratio:.3f}")


if __name__ == "__main__":
    main()
