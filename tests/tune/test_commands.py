"""Programs by their command lines, in real sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

from orchestrator.records.load import Sweep

SCRIPT = """
import argparse, json, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--out")
args = parser.parse_args()
print("training", args.x)
for epoch in range(1, 10):
    print(json.dumps({"epoch": epoch, "val": {"loss": args.x / epoch}}))
    time.sleep(0.1)
open(f"{args.out}/model", "w").write("weights")
"""


def test_asha_stops_programs_and_nothing_of_them_remains(sweep_of: Callable[..., Sweep], tmp_path: Path) -> None:
    sweep = sweep_of(
        SCRIPT,
        trainable=None,
        command="python train.py --x {x} --out {trial_dir}",
        space={"x": {"uniform": [0, 1]}},
        objective={"metric": "val/loss"},
        scheduler={"method": "asha", "max": 9, "grace_period": 1},
        budget={"trials": 8},
        trial={"grace": 2},
    )
    states = list(sweep.trials.state)
    assert states.count("stopped") >= 2
    assert set(states) == {"stopped", "completed"}
    assert sweep.info.trainable == "python train.py --x {x} --out {trial_dir}"
    assert list(sweep.info.fingerprints) == ["train.py"]
    first = sweep.metrics[sweep.metrics.trial == 0]
    assert list(first["val/loss"]) == [sweep.trials["config.x"][0] / step for step in first.step]
    assert (sweep.paths.root / "logs" / "0.log").read_text().startswith("training ")
    running = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"]]
    assert not [each for each in running if str(sweep.paths.root) in " ".join(each)]


def test_a_program_that_fails_is_retried_and_its_last_lines_are_recorded(
    sweep_of: Callable[..., Sweep], tmp_path: Path
) -> None:
    script = """
    import os, pathlib, sys
    print('{"loss": 1}')
    if not pathlib.Path(sys.argv[1]).exists():
        pathlib.Path(sys.argv[1]).touch()
        raise RuntimeError("no luck")
    if float(sys.argv[2]) < 1:
        os.kill(os.getpid(), 9)
    """
    sweep = sweep_of(
        script,
        trainable=None,
        command=["python", "train.py", "{trial_dir}/once", "{x}"],
        space={"x": {"grid": [0, 1]}},
        search={"method": "grid"},
        trial={"retries": 1},
    )
    assert sorted(sweep.trials.state) == ["completed", "failed"]
    said = " ".join(map(str, [*sweep.events.reason, *sweep.events.detail]))
    assert "RuntimeError: no luck" in said
    assert "SIGKILL" in said


SAVES = """
import json, pathlib, sys, time
out, *resume = map(pathlib.Path, sys.argv[2:])
done = int(resume[0].read_text()) if resume else 0
print("continues after", done)
for epoch in range(done + 1, 5):
    (out / "state").write_text(str(epoch))
    print(json.dumps({"epoch": epoch, "loss": float(sys.argv[1]) / epoch}), flush=True)
    time.sleep(0.2)
"""


def test_a_program_that_saves_pauses_at_a_rung_and_goes_on_from_its_checkpoint(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        SAVES,
        trainable=None,
        command="python train.py {x} {checkpoint_dir} {resume}",
        resume="{checkpoint_dir}/state",
        scheduler={"method": "asha", "max": 4, "grace_period": 1, "variant": "promote"},
        search={"method": "random", "seed": 3},
        budget={"trials": 4},
    )
    best = sweep.trials.sort_values("config.x").iloc[0]
    log = (sweep.paths.root / "logs" / f"{best.trial}.log").read_text()
    assert best.state == "completed"
    assert "continues after 0" in log
    assert len(set(log.splitlines()) & {f"continues after {step}" for step in (1, 2, 3)}) >= 1
    assert list(sweep.metrics[sweep.metrics.trial == best.trial].step) == [1, 2, 3, 4]
    kept = list((sweep.paths.root / "checkpoints" / str(best.trial)).rglob("state"))
    assert [path.read_text() for path in kept] == ["4"]
