"""One driver per sweep: a live driver keeps the lease, a dead one loses it, and a driver that lost it notices."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from orchestrator.control import lease as module
from orchestrator.control.lease import Holder, Lease, LeaseHeldError, LeaseLostError, status
from orchestrator.errors import RecordsError, UserError


class Clock:
    """Time that passes only by sleeping; ``each_sleep`` is what another host does meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.each_sleep = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.each_sleep()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def acquire(path: Path, clock: Clock) -> Lease:
    return Lease.acquire(path, clock=clock, sleep=clock.sleep)


ELSEWHERE = Holder(host="gpu7", place="another boot", pid=1, process_started=5.0, started=6.0)


def write(path: Path, holder: Holder) -> None:
    path.write_text(json.dumps(asdict(holder)))


def here(pid: int, process_started: float) -> Holder:
    return replace(ELSEWHERE, host="here", place=module._place(), pid=pid, process_started=process_started)


def test_a_life(path: Path, clock: Clock) -> None:
    assert status(path) == "ended"
    lease = acquire(path, clock)
    assert status(path) == "running"
    lease.release()
    assert status(path) == "ended"
    acquire(path, clock).release()


def test_a_live_driver_here_keeps_its_lease_at_once(path: Path, clock: Clock) -> None:
    acquire(path, clock)
    with pytest.raises(LeaseHeldError, match=rf"has been running for 0 min \(pid {os.getpid()} on \S+\)") as error:
        acquire(path, clock)
    assert clock.now == 0.0
    assert isinstance(error.value, UserError)


def test_a_dead_driver_here_is_replaced_at_once(path: Path, clock: Clock) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    write(path, here(process.pid, 0.0))
    assert status(path) == "dead"
    acquire(path, clock)
    assert clock.now == 0.0
    assert status(path) == "running"


def test_a_reused_pid_is_dead_but_only_standing_still_proves_it(path: Path, clock: Clock) -> None:
    """The start time of a process is computed from a clock; if that was set, the driver may yet live."""
    write(path, here(os.getpid(), psutil.Process().create_time() - 100))
    assert status(path) == "dead"
    acquire(path, clock)
    assert clock.now == pytest.approx(30.0)


def test_a_driver_elsewhere_that_beats_keeps_its_lease(path: Path, clock: Clock) -> None:
    write(path, ELSEWHERE)
    clock.each_sleep = lambda: write(path, replace(ELSEWHERE, counter=int(clock.now / 20)))
    assert status(path) == "running?"
    said: list[str] = []
    with pytest.raises(LeaseHeldError, match="pid 1 on gpu7"):
        Lease.acquire(path, clock=clock, sleep=clock.sleep, waiting=said.append)
    assert clock.now == pytest.approx(20.0)
    assert "waiting up to 30 s" in said[0]


def test_what_a_damaged_lease_is_waited_for(path: Path, clock: Clock) -> None:
    path.write_text("not json")
    said: list[str] = []
    Lease.acquire(path, clock=clock, sleep=clock.sleep, waiting=said.append)
    assert said == [
        f"{path} is damaged, so it does not say which driver runs the sweep;"
        " waiting up to 30 s to see whether that driver is still alive"
    ]


@pytest.mark.parametrize("content", [json.dumps(asdict(ELSEWHERE)), "{}", "not json", "[]"])
def test_what_stands_still_is_taken(path: Path, clock: Clock, content: str) -> None:
    path.write_text(content)
    lease = acquire(path, clock)
    assert clock.now == pytest.approx(30.0)
    clock.now += 1
    lease.beat()


def test_a_lease_released_while_we_watch_is_ours(path: Path, clock: Clock) -> None:
    write(path, ELSEWHERE)
    clock.each_sleep = lambda: path.unlink(missing_ok=True)
    acquire(path, clock)
    assert clock.now < 1.0


def test_beats_raise_the_counter_at_most_once_a_second(path: Path, clock: Clock) -> None:
    lease = acquire(path, clock)
    for _ in range(100):
        clock.now += 0.1
        lease.beat()
    assert json.loads(path.read_text())["counter"] in (9, 10)


def test_who_lost_the_lease_learns_of_it_and_leaves_it_alone(path: Path, clock: Clock) -> None:
    lease = acquire(path, clock)
    write(path, ELSEWHERE)
    clock.now += 1
    with pytest.raises(LeaseLostError, match="another driver has taken over"):
        lease.beat()
    lease.release()
    assert json.loads(path.read_text())["host"] == "gpu7"


def test_a_directory_that_is_not_there_is_a_sentence(path: Path, clock: Clock) -> None:
    with pytest.raises(RecordsError, match=r"cannot use the lease .*: No such file or directory"):
        acquire(path.parent / "gone" / "lease.json", clock)


def _race(path: Path, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        Lease.acquire(path)
        results.put("held")  # type: ignore[attr-defined]
    except LeaseHeldError:
        results.put("refused")  # type: ignore[attr-defined]
    barrier.wait()  # type: ignore[attr-defined]


def test_of_several_drivers_at_once_one_wins(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    write(path, here(process.pid, 0.0))
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    racers = [context.Process(target=_race, args=(path, barrier, results)) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(results.get(timeout=10) for _ in racers) == ["held", "refused", "refused"]
