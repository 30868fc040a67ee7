"""A sweep's job on a cluster that is reached over HTTP only: followed, or left to itself once it has begun."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from cluster.errors import ClusterError, UnreachableError
from cluster.jobs import Jobs
from orchestrator.cli.formats import say
from orchestrator.cli.options import RESULTS
from orchestrator.errors import SweepError, UserError
from orchestrator.records.paths import SweepPaths
from orchestrator.sites.remote import submit
from orchestrator.sites.remote_record import Remote

LAST_WORDS = 12
"""Lines of a job's output that are shown if it did not come to record anything."""


@contextmanager
def in_words() -> Iterator[None]:
    """What a cluster cannot do is what the user asked for and cannot have."""
    try:
        yield
    except ClusterError as error:
        raise UserError(str(error)) from error


def output(here: SweepPaths, remote: Remote, results: Path, *, follow: bool) -> None:
    """Print what the driver has printed, or follow it."""
    with in_words():
        jobs = Jobs.reach(remote.address)
        if not follow:
            typer.echo(jobs.output(remote.job), nl=False)
            return
        _follow(jobs, here, remote, results)


def attend(jobs: Jobs, here: SweepPaths, remote: Remote, results: Path, *, detach: bool) -> None:
    """Follow a job that was just sent; detached, until its sweep has begun.

    Raises:
        SweepError: It ended before that, or badly.
    """
    say(f"sent to {jobs.address} as job {remote.job}; it goes on when this machine is switched off")
    if not detach:
        _follow(jobs, here, remote, results)
        return
    said = ""
    with _left_alone(here, results):
        for piece in jobs.follow(remote.job):
            said += piece
            if submit.begun(said):
                break
    remote = _checked_begun(jobs, here, remote, said)
    words = words_for(here, results)
    say(f"{here.name} has begun; {_where(remote)}; next:")
    say("\n".join(f"  sweep {command}" for command in (f"logs {words} -f", f"show {words}", f"stop {words}")))


def _follow(jobs: Jobs, here: SweepPaths, remote: Remote, results: Path) -> None:
    said = ""  # until it has begun
    with _left_alone(here, results):
        for piece in jobs.follow(remote.job):
            typer.echo(piece, nl=False)
            if not submit.begun(said) and submit.begun(said := said + piece):
                remote = submit.learned(jobs, here, remote, said)
        status = jobs.ended(remote.job)
    remote = _checked_begun(jobs, here, remote, said, told=True)
    say(f"{_where(remote)}; next:\n  sweep show {words_for(here, results)}")
    if status.exit_code:
        raise typer.Exit(status.exit_code)
    if status.word != "SUCCEEDED":
        raise SweepError(f"the job of {here.name} is {status.word}{': ' * bool(status.message)}{status.message}")


@contextmanager
def _left_alone(here: SweepPaths, results: Path) -> Iterator[None]:
    """Ctrl-C, or a connection that is gone, ends our looking and not the sweep."""
    try:
        yield
    except (KeyboardInterrupt, UnreachableError):
        words = words_for(here, results)
        say(f"\n{here.name} goes on there: `sweep logs {words} -f` follows it, `sweep stop {words}` ends it")
        raise


def _checked_begun(jobs: Jobs, here: SweepPaths, remote: Remote, said: str, *, told: bool = False) -> Remote:
    """The record brought up to date.

    Raises:
        SweepError: The job ended before its sweep began. Of a launch that is no sweep, nothing stays.
    """
    remote = submit.learned(jobs, here, remote, said)
    if submit.begun(said) or not remote.ended:
        return remote
    if not remote.directory:
        remove(here)
    status = jobs.status(remote.job)
    if said and not told:
        say("\n".join(said.rstrip().splitlines()[-LAST_WORDS:]))
    error = UserError if status.exit_code == UserError.exit_code else SweepError
    raise error(f"the job ended before the sweep began{': ' * bool(status.message)}{status.message}")


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
