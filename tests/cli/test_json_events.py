"""What a program follows: the events of a sweep, of a job on a cluster, and of a job in Slurm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cluster.jobs import Status
from orchestrator.cli import json_output
from orchestrator.cli.formats import TextFormat
from orchestrator.cli.live.json_lines import JsonLines
from orchestrator.cli.live.progress import Progress
from orchestrator.cli.remote import ray_job, slurm_job
from orchestrator.cli.run_options import RunOptions
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Failure
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.remote_record import Remote, read_remote, write_remote
from orchestrator.sites.remote.job_output import announced, announcement, lines
from tests.cli.recorded import T0, attempt, spec

STARTED = '{"event": "started", "at": "2026-01-01T00:00:00Z", "sweep": "s", "directory": "/there/s", "trials": 3}\n'
SUMMARY = '{"event": "summary", "name": "s"}\n'


def printed(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


class TestASweep:
    def test_each_trial_starts_and_ends_once(self, capfd):
        sweep, at = build_sweep(spec(), None), T0
        observer = JsonLines(Progress.of(sweep, slots=lambda: 1))
        while not sweep.finished:
            at = attempt(sweep, at)
            observer.show(sweep, at)
        found = printed(capfd)
        assert [(each["event"], each["trial"]) for each in found] == [
            (event, number) for number in range(12) for event in ("trial-started", "trial-ended")
        ]
        diverged = next(each for each in found if each.get("state") == "diverged")
        assert (diverged["step"], diverged["at"][-1]) == (4, "Z")
        assert next(each for each in found if each.get("state") == "stopped")["value"] > 0

    def test_a_second_attempt_says_what_it_comes_after(self, capfd):
        sweep = build_sweep(spec(trial={"retries": 1}), None)
        observer = JsonLines(Progress.of(sweep, slots=lambda: 1))
        assert sweep.ask(T0) is not None
        sweep.on(events.Started(trial=0, at=T0))
        observer.show(sweep, T0)
        failure = Failure(type="OSError", message="gone", fingerprint="x")
        sweep.on(events.Failed(trial=0, at=T0 + 1, failure=failure, train_s=1))
        while (start := sweep.ask(T0 + 600)) is None or start.trial != 0:
            pass
        sweep.on(events.Started(trial=0, at=T0 + 601))
        observer.show(sweep, T0 + 601)
        last = [each for each in printed(capfd) if each.get("trial") == 0][-1]
        assert (last["attempt"], last["after"]) == (2, {"type": "OSError", "message": "gone"})

    def test_trouble_begins_and_is_over(self, capfd):
        observer = JsonLines(Progress(slots=lambda: 1))
        observer.trouble("the records", "waiting: no space")
        observer.trouble("the records", None)
        assert [(each["what"], each["over"]) for each in printed(capfd)] == [
            ("the records", False),
            ("the records", True),
        ]


class FakeJobs:
    """A cluster with one job, which has printed something and ended."""

    address = "http://head:8265"

    def __init__(self, output: str, *, exit_code: int = 0) -> None:
        self._output = output
        self._status = Status(word="FAILED" if exit_code else "SUCCEEDED", exit_code=exit_code)

    def follow(self, job: str) -> Iterator[str]:
        yield from (self._output[at : at + 7] for at in range(0, len(self._output), 7))

    def output(self, job: str) -> str:
        return self._output

    def status(self, job: str) -> Status:
        return self._status

    def ended(self, job: str) -> Status:
        return self._status


@pytest.fixture
def here(tmp_path: Path) -> SweepPaths:
    paths = SweepPaths(tmp_path / "results" / "s")
    paths.root.mkdir(parents=True)
    write_remote(paths, Remote(address=FakeJobs.address, jobs=("job-1",), spec="s.yaml", results="/there"))
    return paths


def follow_or_detach(here: SweepPaths, jobs: FakeJobs, **options: Any) -> None:
    remote = read_remote(here)
    assert remote is not None
    ray_job.follow_or_detach(jobs, here, remote, RunOptions(results=here.root.parent, **options))  # type: ignore[arg-type]


class TestAJobOnACluster:
    def test_people_do_not_see_the_line_that_says_where_it_records(self, here, capfd):
        follow_or_detach(here, FakeJobs(f"starting\n{STARTED}trial 0 runs\n"))
        out, err = capfd.readouterr()
        assert out == "starting\ntrial 0 runs\n"
        assert "recorded in /there/s on http://head:8265" in err
        assert read_remote(here).directory == "/there/s"

    def test_programs_get_its_events(self, here, capfd):
        with json_output.answering():
            follow_or_detach(here, FakeJobs(f"a word of Ray's\n{STARTED}{SUMMARY}"), format_=TextFormat.JSON)
        out, err = capfd.readouterr()
        assert out == STARTED + SUMMARY
        assert "a word of Ray's" in err

    def test_detached_they_get_where_it_runs(self, here, capfd):
        with json_output.answering():
            follow_or_detach(here, FakeJobs(STARTED), format_=TextFormat.JSON, detach=True)
        (found,) = printed(capfd)
        assert (found["event"], found["job"], found["directory"]) == ("submitted", "job-1", "/there/s")

    def test_its_error_is_ours(self, here, capfd):
        error = {"error": {"code": "does-not-fit", "message": "no", "exit_code": 2}}
        with json_output.answering(), pytest.raises(typer.Exit) as ended:
            follow_or_detach(here, FakeJobs(f"{json.dumps(error)}\nlast words\n", exit_code=2), format_=TextFormat.JSON)
        assert ended.value.exit_code == 2
        assert json.loads(capfd.readouterr().err.splitlines()[-1]) == error
        assert not here.root.exists()  # nothing stays of a launch that was no sweep

    def test_a_job_that_ends_before_its_sweep_begins_is_an_error(self, here):
        with pytest.raises(SweepError, match="before the sweep started"):
            follow_or_detach(here, FakeJobs("recording in /there/s\n", exit_code=1))


class TestAJobInSlurm:
    def test_programs_get_its_events_as_they_are_written(self, tmp_path, capfd):
        file = tmp_path / "output"
        file.write_text("of an earlier job\n")
        tail = slurm_job._Tail(file, as_json=True)
        with json_output.answering(), file.open("a") as job:
            job.write(f"a word of Slurm's\n{STARTED}{SUMMARY[:10]}")
            job.flush()
            tail.show()
            job.write(f'{SUMMARY[10:]}{{"error": {{"code": "no-result"}}}}\n')
            job.flush()
            tail.show()
        out, err = capfd.readouterr()
        assert (out, err) == (STARTED + SUMMARY, "a word of Slurm's\n")
        assert tail.error == {"code": "no-result"}

    def test_people_get_what_it_prints(self, tmp_path, capfd):
        tail = slurm_job._Tail(tmp_path / "output", as_json=False)
        tail.show()
        (tmp_path / "output").write_text("trial 0 runs\n")
        tail.show()
        assert capfd.readouterr() == ("", "trial 0 runs\n")


def test_a_driver_in_a_job_says_where_it_records(tmp_path):
    assert announced(announcement(SweepPaths(tmp_path / "s"))) == str(tmp_path / "s")
    assert announced("recording in /there/s") == announced('{"event": "note"}') == announced("{") == ""


def test_lines_out_of_pieces():
    assert list(lines(["a", "b\nc\n", "", "d"])) == ["ab", "c", "d"]
