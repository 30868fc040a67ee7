"""A large directory of Ray Tune's, grown from a small one that Ray Tune has written.

A dozen trials are run; each of the others is a copy of one of these, with an id of its own wherever Ray Tune wrote the
id: in the names, in its result, progress and parameter files, and in the experiment's state. So 5,000 trials, which
would take Ray Tune a quarter of an hour, are there in seconds, and Ray Tune reads and restores them as its own.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.ray_tune import CPUS

SEED_TRIALS = 12
UNFINISHED = 4
REPORTS = 50


def train(config: dict[str, Any]) -> None:
    """The same trainable as in benchmarks/recorded.py."""
    from ray import tune

    for step in range(1, REPORTS + 1):
        tune.report({"step": step, "loss": config["lr"] / step, "at": time.time()})


def run(directory: Path, trials: int, *, name: str = "sweep", interrupt_after: int | None = None) -> Path:
    """Run such a sweep with the default loggers, on Ray that runs; processes are reused, the files are the same.

    With ``interrupt_after`` it is interrupted, as by Ctrl-C, when so many trials have ended.
    """
    from ray import tune

    class Interrupt(tune.Callback):
        ended = 0

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
            self.ended += 1
            if self.ended == interrupt_after:
                os.kill(os.getpid(), signal.SIGINT)

    os.environ |= {"TUNE_MAX_PENDING_TRIALS_PG": str(CPUS), "RAY_AIR_NEW_OUTPUT": "0"}
    tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={"lr": tune.loguniform(1e-5, 1e-1), "width": tune.choice([16, 32, 64])},
        tune_config=tune.TuneConfig(metric="loss", mode="min", num_samples=trials, reuse_actors=True),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(directory.resolve()),
            verbose=0,
            callbacks=[] if interrupt_after is None else [Interrupt()],
        ),
    ).fit()
    return directory / name


def start_ray() -> None:
    """Start Ray with two CPUs in this process."""
    import ray

    ray.init(address="local", num_cpus=CPUS, include_dashboard=False, log_to_driver=False)


def grown(directory: Path, trials: int, *, unfinished: bool = False) -> Path:
    """A directory with so many trials that have ended; ``unfinished``: with a few more that wait for a restore."""
    import ray

    start_ray()
    if unfinished:
        root = run(directory, SEED_TRIALS + UNFINISHED, interrupt_after=SEED_TRIALS)
    else:
        root = run(directory, SEED_TRIALS)
    ray.shutdown()
    [state_file] = root.glob("experiment_state-*.json")
    state = json.loads(state_file.read_text())
    seeds = [entry for entry in state["trial_data"] if json.loads(entry[0])["status"] == "TERMINATED"]
    assert len(seeds) >= SEED_TRIALS
    files = [_files(root / json.loads(entry[0])["relative_logdir"]) for entry in seeds]
    for number in range(trials - len(seeds)):
        entry, content = seeds[number % len(seeds)], files[number % len(seeds)]
        described = json.loads(entry[0])
        old = described["trial_id"]
        new = f"{old.partition('_')[0]}_{SEED_TRIALS + UNFINISHED + number:05}"
        state["trial_data"].append([_renamed(part, old, new) for part in entry])
        folder = root / described["relative_logdir"].replace(old, new)
        folder.mkdir()
        for path, text in content.items():
            if text is None:
                os.link(path, folder / path.name)
            else:
                (folder / path.name).write_text(text.replace(old, new))
    state_file.write_text(json.dumps(state, indent=2))
    return root


def _files(folder: Path) -> dict[Path, str | None]:
    """A trial's files; None for files without an id."""
    return {path: path.read_text() if path.suffix in (".json", ".csv") else None for path in folder.iterdir()}


def _renamed(part: str, old: str, new: str) -> str:
    """The id is as long as before, so it can be put in place also in what Ray Tune has pickled and written in hex."""
    return part.replace(old, new).replace(old.encode().hex(), new.encode().hex())
