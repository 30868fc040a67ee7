"""Sweeps on a cluster that is reached over HTTP only: launched, resumed, and asked there what only a driver can do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from cluster.jobs import Jobs
from cluster.snapshot import IGNORE, Snapshot
from cluster.where import Jobs as Places
from orchestrator.cli.formats import as_table, say
from orchestrator.cli.options import RESULTS
from orchestrator.cli.remote.ray_job import attend, directory_of, in_words, remove, words_for
from orchestrator.cli.views.wording import count, size
from orchestrator.errors import SweepError, UserError
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.sites.profiles import Site
from orchestrator.sites.remote import submit
from orchestrator.sites.remote_record import Remote
from orchestrator.spec.source import Source


def launch(
    source: Source,
    place: Site,
    *,
    spec: Path,
    changes: Sequence[str],
    more: Sequence[str],
    results: Path,
    there: str,
    detach: bool,
) -> None:
    """Send a sweep to a cluster, and follow it unless detached.

    Args:
        source: The checked spec.
        place: The cluster, by the address of its Jobs API.
        spec: The spec's file.
        changes: The overrides that were given.
        more: Further words for the command line there.
        results: Where this machine keeps its record of the sweep.
        there: The directory of sweeps on the cluster.
        detach: Return when the sweep has begun.

    Raises:
        SweepError: As ``launch.launch``; or the cluster cannot be reached, or did not begin.
    """
    there = submit.checked_results(there)
    with in_words():
        snapshot = submit.snapshot_of(spec, without=[results, RESULTS])
        _introduce(snapshot, source)
        jobs = Jobs.reach(_address(place))
        paths = claim(results, source.name)
        if paths.name != source.name:
            say(f"{source.name} exists, so this one is {paths.name}")
        arguments = ["launch", spec.name, *_each("--set", [*changes, f"name={paths.name}"]), *more]
        try:
            remote = submit.submit(
                jobs,
                paths,
                spec=spec,
                snapshot=snapshot,
                arguments=arguments,
                command=source.command,
                results=there,
                runtime_env=place.profile.runtime_env(),
            )
        except BaseException:
            paths.root.rmdir()
            raise
        attend(jobs, paths, remote, results, detach=detach)


def resume(
    here: SweepPaths, remote: Remote, *, arguments: Sequence[str], place: Site | None, results: Path, detach: bool
) -> None:
    """Have a sweep resumed where its records are, with the code as it is here now.

    Args:
        here: Its directory here.
        remote: The record of it.
        arguments: Further words for the command line there.
        place: The cluster, if it is another now; it has the records under the same path.
        results: Where this machine keeps its record of the sweep.
        detach: Return when the sweep has begun.
    """
    with in_words():
        jobs = Jobs.reach(_address(place) if place is not None else remote.address)
        remote = submit.learned(jobs, here, remote)
        if not remote.ended:
            raise UserError(f"{here.name} has not ended: `sweep logs {words_for(here, results)} -f` follows it")
        directory = directory_of(remote, here)
        snapshot = submit.snapshot_of(Path(remote.spec), without=[results, RESULTS])
        _introduce(snapshot, None)
        remote = submit.submit(
            jobs,
            here,
            spec=Path(remote.spec),
            snapshot=snapshot,
            arguments=["resume", Path(directory).name, *arguments],
            command=sys.argv,
            results=str(Path(directory).parent),
            runtime_env=place.profile.runtime_env() if place is not None else {},
        )
        attend(jobs, here, remote, results, detach=detach)


def ask(here: SweepPaths, remote: Remote, arguments: Sequence[str]) -> None:
    """Have a command run where the sweep is, and print what it prints; its exit code is ours.

    Args:
        here: The sweep's directory here.
        remote: The record of it.
        arguments: The command and its options; the sweep's name comes first of what follows the command.
    """
    with in_words():
        jobs = Jobs.reach(remote.address)
        remote = submit.learned(jobs, here, remote)
        command, *rest = arguments
        if command == "stop" and not remote.directory and not remote.ended:
            jobs.stop(remote.job)
            jobs.ended(remote.job)
            remove(here)
            say(f"{here.name} was stopped before it began")
            return
        directory = directory_of(remote, here)
        job = submit.ask(jobs, remote, [command, Path(directory).name, *rest])
        try:
            for piece in jobs.follow(job):
                typer.echo(piece, nl=False)
        except KeyboardInterrupt:
            jobs.stop(job)
            raise
        status = jobs.ended(job)
        jobs.forget(job)
    if status.exit_code is None:
        raise SweepError(f"{command} could not be done on {jobs.address}: {status.message}")
    if status.exit_code:
        raise typer.Exit(status.exit_code)


def _address(place: Site) -> str:
    if not isinstance(place.where, Places):
        raise UserError(f"it is on a cluster of Ray Jobs, and goes on in one: --on http://…, not {place.name}")
    return place.where.address


def _introduce(snapshot: Snapshot, source: Source | None) -> None:
    """What is about to be sent; to be seen before anything is."""
    rows = [{"largest files": name, "size": size(bytes_)} for name, bytes_ in snapshot.largest()]
    say(f"{count(len(snapshot.sizes), 'file')} of {snapshot.root}, {size(snapshot.size)}, go along\n{as_table(rows)}")
    if snapshot.withheld:
        say(f"left out, for they may hold keys: {', '.join(snapshot.withheld)}")
    missing = submit.left_behind(source.spec, source.base, snapshot) if source is not None else []
    if missing:
        say(f"left out, though the spec names it: {', '.join(missing)}; a line !{missing[0]} in {IGNORE} takes it in")


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
