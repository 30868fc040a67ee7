"""A sweep's job on a cluster that is reached over HTTP only: followed, or left to itself once it has begun."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from cluster.errors import ClusterError, UnreachableError
from cluster.jobs import Jobs
from orchestrator.cli import json_output
from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS
from orchestrator.cli.run_options import RunOptions
from orchestrator.errors import ClusterUseError, SweepError, UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.remote_record import Remote
from orchestrator.sites.remote import submit
from orchestrator.sites.remote.job_output import announced, lines

LAST_WORDS = 12
"""Lines of a job's output that are shown if it did not come to record anything."""


@contextmanager
def in_words() -> Iterator[None]:
    """What a cluster cannot do is what the user asked for and cannot have."""
    try:
        yield
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error


def output(here: SweepPaths, remote: Remote, results: Path, *, follow: bool) -> None:
    """Print what the driver has printed, or follow it."""
    with in_words():
        jobs = Jobs.reach(remote.address)
        if follow:
            _follow(jobs, here, remote, results)
            return
        for line in jobs.output(remote.job).splitlines():
            _echo(line)


def attend(jobs: Jobs, here: SweepPaths, remote: Remote, run: RunOptions) -> None:
    """Follow a job that was just sent; detached, until its sweep has begun.

    Raises:
        SweepError: It ended before that, or badly.
    """
    say(f"sent to {jobs.address} as job {remote.job}; it goes on when this machine is switched off")
    if not run.detach:
        _follow(jobs, here, remote, run.results, as_json=run.as_json)
        return
    said: list[str] = []
    directory = ""
    with _left_alone(here, run.results):
        for line in lines(jobs.follow(remote.job)):
            said.append(line)
            if directory := announced(line):
                break
    remote = _checked_begun(jobs, here, remote, directory, said=said)
    if run.as_json:
        json_output.event(
            "submitted",
            sweep=here.name,
            place=remote.address,
            job=remote.job,
            directory=remote.directory,
            status=remote.status,
        )
        return
    words = words_for(here, run.results)
    say(f"{here.name} has begun; {_where(remote)}; next:")
    say("\n".join(f"  sweep {command}" for command in (f"logs {words} -f", f"show {words}", f"stop {words}")))


def _follow(jobs: Jobs, here: SweepPaths, remote: Remote, results: Path, *, as_json: bool = False) -> None:
    directory, error = "", None
    with _left_alone(here, results):
        for line in lines(jobs.follow(remote.job)):
            if not directory and (directory := announced(line)):
                remote = submit.refresh(jobs, here, remote, directory)
            if as_json:
                error = json_output.relay(line) or error
            else:
                _echo(line)
        status = jobs.ended(remote.job)
    if error is None:
        remote = _checked_begun(jobs, here, remote, directory)
        say(f"{_where(remote)}; next:\n  sweep show {words_for(here, results)}")
    else:
        _forget_unless_begun(here, submit.refresh(jobs, here, remote, directory))
        json_output.error(error)
    if status.exit_code:
        raise typer.Exit(status.exit_code)
    if status.word != "SUCCEEDED":
        raise SweepError(f"the job of {here.name} is {status.word}{': ' * bool(status.message)}{status.message}")


def _echo(line: str) -> None:
    """Print a line of the driver's, but for the one that is meant for this program."""
    if not announced(line):
        typer.echo(line)


@contextmanager
def _left_alone(here: SweepPaths, results: Path) -> Iterator[None]:
    """Ctrl-C, or a connection that is gone, ends our looking and not the sweep."""
    try:
        yield
    except (KeyboardInterrupt, UnreachableError):
        words = words_for(here, results)
        say(f"\n{here.name} goes on there: `sweep logs {words} -f` follows it, `sweep stop {words}` ends it")
        raise


def _checked_begun(jobs: Jobs, here: SweepPaths, remote: Remote, directory: str, *, said: Sequence[str] = ()) -> Remote:
    """The record brought up to date.

    Args:
        jobs, here, remote: The job.
        directory: Where the job has said that its sweep is recorded; "" if it has not.
        said: What the job has printed, if nobody has seen it.

    Raises:
        SweepError: The job ended before its sweep began. Of a launch that is no sweep, nothing stays.
    """
    remote = submit.refresh(jobs, here, remote, directory)
    if directory or not remote.ended:
        return remote
    _forget_unless_begun(here, remote)
    status = jobs.status(remote.job)
    if said:
        say("\n".join(said[-LAST_WORDS:]))
    error = UserError if status.exit_code == UserError.exit_code else SweepError
    raise error(f"the job ended before the sweep began{': ' * bool(status.message)}{status.message}")


def _forget_unless_begun(here: SweepPaths, remote: Remote) -> None:
    if not remote.directory:
        remove(here)


def remove(here: SweepPaths) -> None:
    """Take back the name of a sweep of which nothing was recorded."""
    here.remote.unlink()
    here.root.rmdir()


def directory_of(remote: Remote, here: SweepPaths) -> str:
    """Where it is recorded there; an error before it has begun."""
    if not remote.directory:
        raise UserError(f"{here.name} has not begun on {remote.address} ({remote.status}); nothing is recorded yet")
    return remote.directory


def _where(remote: Remote) -> str:
    return f"recorded in {remote.directory} on {remote.address}"


def words_for(here: SweepPaths, results: Path) -> str:
    """What names it on a command line here."""
    return here.name if results == RESULTS else f"{here.name} --results {shlex.quote(str(results))}"
