"""Follows the job of a sweep on a Ray cluster that is reached over HTTP only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from cluster.errors import ClusterError, UnreachableError
from cluster.jobs import Jobs
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.options import typed
from orchestrator.cli.run_options import RunOptions
from orchestrator.errors import ClusterUseError, SweepError, UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.remote_record import Remote
from orchestrator.sites.known_clusters import reach_recorded
from orchestrator.sites.remote import submit
from orchestrator.sites.remote.job_output import announced, lines

LAST_WORDS = 12
"""Lines of a job's output that are printed if it ended before its sweep started."""


@contextmanager
def as_user_errors() -> Iterator[None]:
    """Raise errors of the cluster as errors of the user, who asked for something that the cluster cannot do."""
    try:
        yield
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error


def output(here: SweepPaths, remote: Remote, *, follow: bool) -> None:
    """Print the output of the driver, or follow it."""
    with as_user_errors():
        jobs = reach_recorded(remote.address)
        if follow:
            _follow(jobs, here, remote)
            return
        for line in jobs.output(remote.job).splitlines():
            _echo(line)


def follow_or_detach(jobs: Jobs, here: SweepPaths, remote: Remote, run: RunOptions) -> None:
    """Follow a job that was just submitted to its end; if detached, only until its sweep has started.

    Raises:
        SweepError: The job ended before its sweep started, or failed.
    """
    say(f"submitted to {jobs.address} as job {remote.job}; it runs independently of this machine")
    if not run.detach:
        _follow(jobs, here, remote, as_json=run.as_json)
        return
    said: list[str] = []
    directory = ""
    with _job_keeps_running(here):
        for line in lines(jobs.follow(remote.job)):
            said.append(line)
            if directory := announced(line):
                break
    remote = _check_started(jobs, here, remote, directory, said=said)
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
    words = typed(here)
    say(f"{here.name} has started; {_where(remote)}; next:")
    for command in (f"logs {words} -f", f"watch {words}", f"show {words}", f"stop {words}"):
        say(f"  sweep {command}")


def _follow(jobs: Jobs, here: SweepPaths, remote: Remote, *, as_json: bool = False) -> None:
    directory, error = "", None
    with _job_keeps_running(here):
        for line in lines(jobs.follow(remote.job)):
            if not directory and (directory := announced(line)):
                remote = submit.refresh(jobs, here, remote, directory)
            if as_json:
                error = json_output.relay(line) or error
            else:
                _echo(line)
        status = jobs.ended(remote.job)
    if error is None:
        remote = _check_started(jobs, here, remote, directory)
        say(f"{_where(remote)}; next:\n  sweep show {typed(here)}")
    else:
        _remove_unless_started(here, submit.refresh(jobs, here, remote, directory))
        json_output.error(error)
    if status.exit_code:
        raise typer.Exit(status.exit_code)
    if status.word != "SUCCEEDED":
        raise SweepError(f"the job of {here.name} is {status.word}{': ' * bool(status.message)}{status.message}")


def _echo(line: str) -> None:
    """Print a line of the driver, except the announcement for this program."""
    if not announced(line):
        tell(line)


@contextmanager
def _job_keeps_running(here: SweepPaths) -> Iterator[None]:
    """On Ctrl-C or a lost connection, say that the job keeps running, and how to follow it."""
    try:
        yield
    except (KeyboardInterrupt, UnreachableError):
        words = typed(here)
        say(f"\n{here.name} keeps running; follow it with: sweep logs {words} -f; stop it with: sweep stop {words}")
        raise


def _check_started(jobs: Jobs, here: SweepPaths, remote: Remote, directory: str, *, said: Sequence[str] = ()) -> Remote:
    """Update the record of a job, and check that its sweep has started.

    Args:
        jobs, here, remote: The job.
        directory: The directory of the sweep, if the job has announced it, else "".
        said: The output of the job, if it has not been printed.

    Raises:
        SweepError: The job ended before its sweep started. If it was a launch, the record is removed.
    """
    remote = submit.refresh(jobs, here, remote, directory)
    if directory or not remote.ended:
        return remote
    _remove_unless_started(here, remote)
    status = jobs.status(remote.job)
    if said:
        say("\n".join(said[-LAST_WORDS:]))
    error = UserError if status.exit_code == UserError.exit_code else SweepError
    raise error(f"the job ended before the sweep started{': ' * bool(status.message)}{status.message}")


def _remove_unless_started(here: SweepPaths, remote: Remote) -> None:
    """Remove the record of a launch that recorded nothing."""
    if not remote.directory:
        remove(here)


def remove(here: SweepPaths) -> None:
    """Remove the record of a sweep that has recorded nothing, so that its name is free again."""
    here.remote.unlink()
    here.root.rmdir()


def directory_of(remote: Remote, here: SweepPaths) -> str:
    """The directory of the sweep on the cluster.

    Raises:
        UserError: The sweep has not started.
    """
    if not remote.directory:
        raise UserError(f"{here.name} has not started on {remote.address} ({remote.status}); nothing is recorded yet")
    return remote.directory


def _where(remote: Remote) -> str:
    return f"recorded in {remote.directory} on {remote.address}"
