"""Launches and resumes sweeps, and runs commands, on a Ray cluster that is reached over HTTP only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from cluster.jobs import Jobs
from cluster.snapshot import IGNORE, Snapshot
from cluster.where import Jobs as Places
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.options import RESULTS, as_words, typed
from orchestrator.cli.remote.ray_job import as_user_errors, directory_of, follow_or_detach, remove
from orchestrator.cli.requests import stopped
from orchestrator.cli.run_options import LaunchOptions, RunOptions
from orchestrator.cli.views.table import as_table
from orchestrator.errors import OverwriteError, StillRunningError, SweepError, UserError
from orchestrator.formatting import count, size
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.remote_record import Remote
from orchestrator.sites.known_clusters import reach_named, reach_recorded
from orchestrator.sites.profiles import Site
from orchestrator.sites.remote import submit
from orchestrator.sites.remote.job_output import lines
from orchestrator.spec.source import Source


def launch(source: Source, place: Site, run: LaunchOptions) -> None:
    """Send a sweep to a cluster, and follow it unless detached.

    Args:
        source: The checked spec; without a file, the spec is written into the project first.
        place: The cluster, by the address of its Jobs API.
        run: The run options.

    Raises:
        SweepError: As ``driver.launch.launch``; or the cluster cannot be reached, or did not start the sweep.
    """
    spec = source.file or write_spec_file(source)
    there = submit.checked_results(run.cluster_results)
    with as_user_errors():
        snapshot = submit.snapshot_of(spec, without=[run.results, RESULTS])
        _say_what_is_sent(snapshot, source)
        jobs = _named(place)
        paths = claim(run.results, source.name)
        if paths.name != source.name:
            say(f"{source.name} exists, so this one is {paths.name}")
        changes = [*source.overrides, f"name={paths.name}"]
        try:
            remote = submit.submit(
                jobs,
                paths,
                spec=spec,
                snapshot=snapshot,
                arguments=["launch", spec.name, *as_words(set=changes), *run.words()],
                command=source.command,
                results=there,
                runtime_env=place.profile.runtime_env(),
            )
        except BaseException:
            paths.root.rmdir()
            raise
        follow_or_detach(jobs, paths, remote, run)


def write_spec_file(source: Source) -> Path:
    """Write a spec that has no file into its project, which is sent to the cluster.

    Raises:
        UserError: The file exists, or cannot be written.
    """
    file = source.base / f"{source.name}.yaml"
    try:
        with file.open("xb") as target:
            target.write(source.text)
    except FileExistsError:
        raise OverwriteError(f"{file} exists and is not overwritten; choose another --name") from None
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror or error}") from error
    return file


def resume(
    here: SweepPaths,
    remote: Remote,
    run: RunOptions,
    *,
    place: Site | None,
    project: Path | None,
    arguments: Sequence[str],
) -> None:
    """Resume a sweep on the cluster that has its records, with the code as it is here now.

    Args:
        here: The sweep's directory on this machine.
        remote: The record of the sweep.
        run: The run options.
        place: Another cluster that has the records under the same path; None: the cluster as before.
        project: The directory of the spec; None: as before.
        arguments: Further words for the command line there.
    """
    with as_user_errors():
        jobs = _named(place) if place is not None else reach_recorded(remote.address)
        remote = submit.refresh(jobs, here, remote)
        if not remote.ended:
            raise StillRunningError(f"{here.name} is still running; follow it with: sweep logs {typed(here)} -f")
        directory = directory_of(remote, here)
        spec = Path(remote.spec) if project is None else project.resolve() / Path(remote.spec).name
        if not spec.is_file():
            raise UserError(f"there is no {spec}; say where the project is now: --project DIR")
        snapshot = submit.snapshot_of(spec, without=[run.results, RESULTS])
        _say_what_is_sent(snapshot, None)
        remote = submit.submit(
            jobs,
            here,
            spec=spec,
            snapshot=snapshot,
            arguments=["resume", Path(directory).name, *arguments, *run.words()],
            command=sys.argv,
            results=str(Path(directory).parent),
            runtime_env=place.profile.runtime_env() if place is not None else {},
        )
        follow_or_detach(jobs, here, remote, run)


def ask(here: SweepPaths, remote: Remote, arguments: Sequence[str]) -> None:
    """Run a command on the cluster that has the sweep, print its output, and end with its exit code.

    Args:
        here: The sweep's directory on this machine.
        remote: The record of the sweep.
        arguments: The command and its options, without the sweep's name.
    """
    with as_user_errors():
        jobs = reach_recorded(remote.address)
        remote = submit.refresh(jobs, here, remote)
        command, *rest = arguments
        if command == "stop" and not remote.directory and not remote.ended:
            jobs.stop(remote.job)
            jobs.ended(remote.job)
            remove(here)
            say(f"{here.name} was stopped before it started")
            if json_output.is_on():
                json_output.document(stopped(here.name, "job", job=remote.job))
            return
        directory = directory_of(remote, here)
        job = submit.ask(jobs, remote, [command, Path(directory).name, *rest])
        try:
            error = None
            for line in lines(jobs.follow(job)):
                if json_output.is_on():
                    error = json_output.relay(line, document=True) or error
                else:
                    tell(line)
        except KeyboardInterrupt:
            jobs.stop(job)
            raise
        status = jobs.ended(job)
        jobs.forget(job)
    if error is not None:
        json_output.error(error)
    if status.exit_code is None:
        raise SweepError(f"sweep {command} failed on {jobs.address}: {status.message}")
    if status.exit_code:
        raise typer.Exit(status.exit_code)


def _named(place: Site) -> Jobs:
    """The cluster that the user has named."""
    jobs, told = reach_named(_address(place))
    if told:
        say(told)
    return jobs


def _address(place: Site) -> str:
    if not isinstance(place.where, Places):
        raise UserError(f"the sweep resumes only on a Ray cluster over HTTP: --on http://…, not {place.name}")
    return place.where.address


def _say_what_is_sent(snapshot: Snapshot, source: Source | None) -> None:
    """Print what is sent to the cluster, before anything is sent."""
    rows = [{"largest files": name, "size": size(bytes_)} for name, bytes_ in snapshot.largest()]
    say(f"{count(len(snapshot.sizes), 'file')} of {snapshot.root}, {size(snapshot.size)}, are sent\n{as_table(rows)}")
    if snapshot.withheld:
        say(f"excluded (may contain secrets): {', '.join(snapshot.withheld)}")
    missing = submit.excluded_files(source.spec, source.base, snapshot) if source is not None else []
    if missing:
        say(f"excluded, although the spec names it: {', '.join(missing)}")
        say(f"to include it, add a line to {IGNORE}: !{missing[0]}")
