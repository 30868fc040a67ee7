"""`sweep logs` of a sweep on this machine, and what the commands say of one that is on a cluster nobody reaches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import options
from orchestrator.control.lease import Lease
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import redacted
from orchestrator.records.remote_record import Remote, read_remote, write_remote
from orchestrator.sites.known_clusters import clusters_file
from tests.cli.conftest import Ran
from tests.cli.recorded import record

Sweep = Callable[..., Ran]
AWAY = Remote(
    address="http://127.0.0.1:9",  # where nothing listens
    jobs=("sweep-away-1",),
    spec="/home/me/spec.yaml",
    results="~/sweeps",
    directory="/nowhere/sweeps/away",
    submitted="2030-01-01T00:00:00+00:00",
    status="RUNNING",
)


@pytest.fixture
def logged(tmp_path: Path) -> SweepPaths:
    """A sweep of which trial 2 has printed something."""
    paths = record(tmp_path / "results")
    paths.log(2).parent.mkdir(exist_ok=True)
    paths.log(2).write_text("one\ntwo\n")
    return paths


@pytest.fixture
def away(tmp_path: Path) -> SweepPaths:
    """What a laptop keeps of a sweep on a cluster."""
    paths = SweepPaths(tmp_path / "results" / "away")
    paths.root.mkdir(parents=True)
    write_remote(paths, AWAY)
    return paths


def test_a_log_is_printed_as_it_is(sweep: Sweep, logged: SweepPaths) -> None:
    assert sweep("logs", 2) == sweep("logs", logged.name, 2) == Ran(0, "one\ntwo\n", "")
    assert "trial 0 of made-up has printed nothing" in sweep("logs", 0).err


def test_the_log_of_another_rank(sweep: Sweep, logged: SweepPaths) -> None:
    logged.log(2, rank=1).write_text("three\n")
    assert sweep("logs", 2, "--rank", 1) == Ran(0, "three\n", "")
    assert sweep("logs", 2, "--rank", 0) == Ran(0, "one\ntwo\n", "")
    assert "rank 2 of trial 2 of made-up has printed nothing" in sweep("logs", 2, "--rank", 2).err


def test_a_log_is_followed_until_its_trial_ends(sweep: Sweep, logged: SweepPaths) -> None:
    def print_more() -> None:
        time.sleep(0.7)
        with logged.log(99).open("a") as log:
            log.write("two\n")
        lease.release()

    logged.log(99).write_text("one\n")  # a trial that has begun, and has not been recorded
    with Lease.acquire(logged.lease) as lease:
        printing = threading.Thread(target=print_more)
        printing.start()
        ran = sweep("logs", 99, "-f")
        printing.join()
    assert ran == Ran(0, "one\ntwo\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["made-up"], "the number of a trial is missing"),
        (["made-up", "two"], "'two' is not a trial"),
        (["made-up", "1", "2"], "logs takes one sweep and one trial"),
        (["made-up", "77"], "made-up has no trial 77; it has 12 trials"),
    ],
)
def test_what_is_not_there_is_told(sweep: Sweep, logged: SweepPaths, words: list[str], said: str) -> None:
    ran = sweep("logs", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_local_sweep_needs_no_fetching(sweep: Sweep, logged: SweepPaths) -> None:
    assert "there is nothing to fetch" in sweep("pull", logged.name).err


def test_an_unreachable_cluster_is_told_and_does_not_hide_the_other_sweeps(
    sweep: Sweep, logged: SweepPaths, away: SweepPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    clusters_file().parent.mkdir(parents=True)
    clusters_file().write_text(f"{AWAY.address}\n")
    listed = sweep("ls")
    assert listed.code == 0
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [["made-up", "finished"], ["away", "running"]]
    assert "nothing answers at http://127.0.0.1:9" in listed.err
    assert "showing the last known status of its sweeps" in listed.err
    for command in ("show", "best", "stop", "resume", "pull", "logs"):
        ran = sweep(command, "away")
        assert (ran.code, ran.out) == (2, ""), command
        assert "nothing answers at http://127.0.0.1:9: Connection refused" in ran.err
    assert sweep("clean").code == 0


def test_the_last_copy_is_read_where_the_cluster_is_gone(sweep: Sweep, logged: SweepPaths) -> None:
    write_remote(logged, replace(AWAY, pulled="2030-01-02T00:00:00+00:00"))
    ran = sweep("show", "made-up")
    assert ran.code == 0
    assert "12 trials" in ran.out
    assert "showing the copy of 2030-01-02" in ran.err
    assert "made-up is a local copy" in sweep("best", "made-up", "--evaluate").err


def test_a_record_survives_its_round_trip_and_what_later_versions_add(away: SweepPaths) -> None:
    assert read_remote(away) == AWAY
    away.remote.write_text(away.remote.read_text().replace("{", '{"later": 1,', 1))
    assert read_remote(away) == AWAY


def test_options_become_the_words_that_were_typed() -> None:
    words = options.as_words(trials=3, hours=None, retry=["failed", "diverged"], allow_change=True, now=False)
    assert words == ["--trials", "3", "--retry", "failed", "--retry", "diverged", "--allow-change"]


def test_passwords_in_addresses_are_blotted_out_of_a_recorded_command() -> None:
    command = ["sweep", "launch", "--set", "fixed.data=https://me:planted@example.org/a.csv", "a@b", "//host/a@b"]
    assert redacted(command) == [*command[:3], "fixed.data=https://…@example.org/a.csv", "a@b", "//host/a@b"]
