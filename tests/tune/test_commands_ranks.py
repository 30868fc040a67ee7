"""Programs that are the ranks of a trial: one output, one end, one failure, one directory of checkpoints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from cluster.local.embedded import embedded
from orchestrator.core.rows import State
from orchestrator.records.load import Sweep

pytestmark = pytest.mark.long

SCRIPT = """
import argparse, json, os, pathlib, signal, subprocess, sys, time
import psutil

parser = argparse.ArgumentParser()
parser.add_argument("--loss", type=float)
parser.add_argument("--on-sigterm", default="end")
parser.add_argument("--fault", default="")
parser.add_argument("--notes", type=pathlib.Path)
parser.add_argument("--config", type=pathlib.Path)
parser.add_argument("--out", type=pathlib.Path)
parser.add_argument("--resume", type=pathlib.Path)
args = parser.parse_args()
rank = int(os.environ["RANK"])

def note(name, rank=rank):
    return args.notes / f"{rank}.{name}"

def wait_for(condition):
    while not condition():
        time.sleep(0.02)

def told(*_):
    note("sigterm").touch()
    if args.on_sigterm == "end":
        sys.exit(1)

signal.signal(signal.SIGTERM, told)
with note("pids").open("a") as pids:
    print(os.getpid(), file=pids)
names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")
note("environ").write_text(json.dumps({name: os.environ[name] for name in names}))
assert json.loads(args.config.read_text())["loss"] == args.loss
done = int(args.resume.read_text()) if args.resume else 0
with note("began").open("a") as began:
    print(done, file=began)

for epoch in range(done + 1, 5):
    if rank == 0:
        wait_for(note(f"epoch-{epoch}", rank=1).exists)  # as in a collective
        (args.out / "state").write_text(str(epoch))
        print(json.dumps({"epoch": epoch, "loss": args.loss / epoch}))
    else:
        note(f"epoch-{epoch}").touch()
        print(json.dumps({"epoch": epoch, "loss": -1, "own": 1}))  # of this rank: not the trial's
        wait_for(lambda: (args.out / "state").exists() and int((args.out / "state").read_text() or 0) >= epoch)
    if epoch == 2 and args.loss > 1:
        time.sleep(600)  # it is to be stopped
    if epoch == 3 and args.fault and done == 0:
        if rank == 1:
            loud = "while echo still here; do sleep 0.1; done"
            subprocess.Popen(["sh", "-c", loud])  # holds the output open, so the end of this process is heard of late
            exec(args.fault)
        (pid,) = note("pids", rank=1).read_text().split()
        wait_for(lambda: not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie")
        time.sleep(1)
        raise ConnectionError("lost rank 1")
if rank == 1:
    time.sleep(0.5)  # the program of rank 0 has ended
    (args.out / "more").write_text("written after rank 0 has ended")
"""


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=2, gpus=0):
        yield


@pytest.fixture
def ranks_of(sweep_of: Callable[..., Sweep]) -> Callable[..., Sweep]:
    """Launch a sweep of trials with two ranks, one after the other, each with these options of the script."""

    def launch(*configs: dict[str, Any], **sections: Any) -> Sweep:
        options = "--loss {loss} --on-sigterm {on_sigterm} --fault {fault} --notes {trial_dir} --config {config.json}"
        given = {
            "trainable": None,
            "command": f"{sys.executable} train.py {options} --out {{checkpoint_dir}} {{resume}}",
            "resume": "--resume {checkpoint_dir}/state",
            "space": {},
            "search": {
                "method": "list",
                "configs": [{"loss": 1.0, "on_sigterm": "end", "fault": ""} | config for config in configs],
            },
            "scheduler": {"method": "none", "max": 5},
            "budget": {"trials": len(configs)},
            "resources": {"workers": 2, "cpu": 1, "gpu": 0, "concurrency": 1},
        }
        return sweep_of(SCRIPT, **(given | sections))

    return launch


def noted(sweep: Sweep, trial: int, name: str) -> list[str | None]:
    """What each rank of a trial has noted; None: nothing."""
    files = [sweep.paths.trial(trial) / f"{rank}.{name}" for rank in range(2)]
    return [file.read_text() if file.exists() else None for file in files]


def assert_nothing_is_left(sweep: Sweep) -> None:
    pids = [
        int(pid) for trial in sweep.trials["trial"] for notes in noted(sweep, trial, "pids") for pid in notes.split()
    ]
    assert len(pids) >= 2 * len(sweep.trials)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert not list(sweep.paths.root.glob("trials/*/checkpoint"))


def test_ranks_are_told_who_they_are_and_a_stop_reaches_all(ranks_of: Callable[..., Sweep]) -> None:
    asha = {"method": "asha", "variant": "stop", "grace_period": 2, "reduction_factor": 2, "max": 5}
    sweep = ranks_of({}, {"loss": 2.0}, {"loss": 3.0, "on_sigterm": "ignore"}, scheduler=asha, trial={"grace": 1})
    assert sweep.trials["state"].tolist() == [State.COMPLETED, State.STOPPED, State.STOPPED]
    assert [noted(sweep, trial, "sigterm") for trial in range(3)] == [[None, None], ["", ""], ["", ""]]
    environ = [json.loads(each or "") for each in noted(sweep, 0, "environ")]
    assert [each["RANK"] + each["LOCAL_RANK"] for each in environ] == ["00", "11"]
    same = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    assert all(each.items() >= same.items() for each in environ)
    assert environ[0]["MASTER_PORT"] == environ[1]["MASTER_PORT"]
    assert sweep.metrics.loc[sweep.metrics["trial"] == 0, "loss"].tolist() == [1 / epoch for epoch in range(1, 5)]
    assert "own" not in sweep.metrics
    assert (sweep.paths.root / "logs" / "0.rank1.log").read_text().count('"own": 1') == 4
    assert_nothing_is_left(sweep)


FAULTS = {
    "os._exit(3)": ("ExitStatus", "exit status 3"),
    "os.kill(os.getpid(), signal.SIGKILL)": ("Signal", "SIGKILL"),
    "raise ValueError('no more')": ("ValueError", "no more"),
}


def test_a_rank_that_fails_ends_all_and_the_next_attempt_continues(ranks_of: Callable[..., Sweep]) -> None:
    sweep = ranks_of(*[{"fault": fault} for fault in FAULTS], trial={"retries": 1, "grace": 1, "save_every": 0.05})
    assert set(sweep.trials["state"]) == {State.COMPLETED}
    retries = sweep.events[sweep.events["event"] == "retry"].set_index("trial")
    for number, expected in enumerate(FAULTS.values()):
        told = f"{retries.loc[number, 'reason']} {retries.loc[number, 'detail']}"
        assert all(each in told for each in expected), (number, told)
        assert "rank 1 on " in told, told
        assert f"{number}.rank1.log" in told, told
        began = [(each or "").split() for each in noted(sweep, number, "began")]
        assert began in ([["0", "2"]] * 2, [["0", "3"]] * 2)
        assert sweep.metrics.loc[sweep.metrics["trial"] == number, "step"].tolist() == [1, 2, 3, 4]
        kept = list((sweep.paths.root / "checkpoints" / str(number)).rglob("state"))
        assert [path.read_text() for path in kept] == ["4"]
    assert_nothing_is_left(sweep)
