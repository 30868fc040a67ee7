"""Sweeps on a cluster that is reached over HTTP only: what launch, resume, stop, show and so on do with them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from cluster.errors import ClusterError
from cluster.jobs import Jobs, UnreachableError
from cluster.snapshot import IGNORE, Snapshot
from cluster.where import Jobs as Places
from orchestrator.cli.options import RESULTS
from orchestrator.cli.output import as_table, say
from orchestrator.cli.wording import count, size
from orchestrator.errors import SweepError, UserError
from orchestrator.profiles import Site
from orchestrator.records.find import find_all, find_here
from orchestrator.records.paths import SweepPaths, claim
from orchestrator.records.remote import Remote, read_remote, seen_here
from orchestrator.remote import fetching, sending
from orchestrator.source import Source

LIST_S = 3.0
"""Seconds that `sweep ls` waits for a cluster."""

LAST_WORDS = 12
"""Lines of a job's output that are shown if it did not come to record anything."""


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
    there = sending.checked_results(there)
    with _in_words():
        snapshot = sending.snapshot_of(spec, without=[results, RESULTS])
        _introduce(snapshot, source)
        jobs = Jobs.reach(_address(place))
        paths = claim(results, source.name)
        if paths.name != source.name:
            say(f"{source.name} exists, so this one is {paths.name}")
        arguments = ["launch", spec.name, *_each("--set", [*changes, f"name={paths.name}"]), *more]
        try:
            remote = sending.submit(
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
        _attend(jobs, paths, remote, results, detach=detach)


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
    with _in_words():
        jobs = Jobs.reach(_address(place) if place is not None else remote.address)
        remote = sending.learned(jobs, here, remote)
        if not remote.ended:
            raise UserError(f"{here.name} has not ended: `sweep logs {_words(here, results)} -f` follows it")
        directory = _directory(remote, here)
        snapshot = sending.snapshot_of(Path(remote.spec), without=[results, RESULTS])
        _introduce(snapshot, None)
        remote = sending.submit(
            jobs,
            here,
            spec=Path(remote.spec),
            snapshot=snapshot,
            arguments=["resume", Path(directory).name, *arguments],
            command=sys.argv,
            results=str(Path(directory).parent),
            runtime_env=place.profile.runtime_env() if place is not None else {},
        )
        _attend(jobs, here, remote, results, detach=detach)


def ask(here: SweepPaths, remote: Remote, arguments: Sequence[str]) -> None:
    """Have a command run where the sweep is, and print what it prints; its exit code is ours.

    Args:
        here: The sweep's directory here.
        remote: The record of it.
        arguments: The command and its options; the sweep's name comes first of what follows the command.
    """
    with _in_words():
        jobs = Jobs.reach(remote.address)
        remote = sending.learned(jobs, here, remote)
        command, *rest = arguments
        if command == "stop" and not remote.directory and not remote.ended:
            jobs.stop(remote.job)
            jobs.ended(remote.job)
            _remove(here)
            say(f"{here.name} was stopped before it began")
            return
        directory = _directory(remote, here)
        job = sending.ask(jobs, remote, [command, Path(directory).name, *rest])
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


def output(here: SweepPaths, remote: Remote, results: Path, *, follow: bool) -> None:
    """Print what the driver has printed, or follow it."""
    with _in_words():
        jobs = Jobs.reach(remote.address)
        if not follow:
            typer.echo(jobs.output(remote.job), nl=False)
            return
        _follow(jobs, here, remote, results)


def pull(here: SweepPaths, remote: Remote, *, large: bool) -> None:
    """Fetch the records, and say what came.

    Raises:
        SweepError: They cannot be fetched.
    """
    with _in_words():
        jobs = Jobs.reach(remote.address)
        remote = sending.learned(jobs, here, remote)
        _directory(remote, here)
        fetched = fetching.pull(jobs, here, remote, large=large)
    still = "" if remote.ended else "; it goes on"
    say(f"{count(fetched.files, 'file')} of {here.name} fetched, {size(fetched.size)}, into {here.root}{still}")


def refresh(results: Path, name: str | None, tell: Callable[[str], None] = say) -> None:
    """Before a sweep is read: bring its copy up to date, if it is one and its cluster can be reached.

    Args:
        results: Where this machine keeps its record of the sweep.
        name: The sweep's; None: the latest.
        tell: Is told if the copy is an old one.

    Raises:
        SweepError: Nothing of it has ever been fetched, and it cannot be now.
    """
    here = find_here(results, name)
    remote = read_remote(here)
    if remote is None or remote.pulled_end or seen_here(here) != here:
        return
    try:
        with _in_words():
            jobs = Jobs.reach(remote.address)
            remote = sending.learned(jobs, here, remote)
            if not remote.directory and not remote.ended:
                raise UserError(f"{here.name} waits on {jobs.address} ({remote.status}); nothing is recorded yet")
            fetching.pull(jobs, here, remote)
    except SweepError as error:
        if not remote.pulled:
            raise
        tell(f"{error}; what follows is from {remote.pulled}")


def statuses(results: Path) -> dict[str, Remote]:
    """The sweeps on clusters by name, each asked how it is unless it has ended; who does not answer is told of."""
    found: dict[str, Remote] = {}
    reached: dict[str, Jobs | None] = {}
    for here in find_all(results):
        if (remote := read_remote(here)) is None:
            continue
        if not remote.ended:
            if remote.address not in reached:
                reached[remote.address] = _reach_or_say(remote.address)
            if (jobs := reached[remote.address]) is not None:
                with _in_words():
                    remote = sending.learned(jobs, here, remote)
        found[here.name] = remote
    return found


def _reach_or_say(address: str) -> Jobs | None:
    try:
        return Jobs.reach(address, patience=LIST_S)
    except ClusterError as error:
        say(f"{error}; its sweeps are shown as they were")
        return None


def _attend(jobs: Jobs, here: SweepPaths, remote: Remote, results: Path, *, detach: bool) -> None:
    say(f"sent to {jobs.address} as job {remote.job}; it goes on when this machine is switched off")
    if not detach:
        _follow(jobs, here, remote, results)
        return
    said = ""
    with _left_alone(here, results):
        for piece in jobs.follow(remote.job):
            said += piece
            if sending.begun(said):
                break
    remote = _checked_begun(jobs, here, remote, said)
    words = _words(here, results)
    say(f"{here.name} has begun; {_where(remote)}; next:")
    say("\n".join(f"  sweep {command}" for command in (f"logs {words} -f", f"show {words}", f"stop {words}")))


def _follow(jobs: Jobs, here: SweepPaths, remote: Remote, results: Path) -> None:
    said = ""  # until it has begun
    with _left_alone(here, results):
        for piece in jobs.follow(remote.job):
            typer.echo(piece, nl=False)
            if not sending.begun(said) and sending.begun(said := said + piece):
                remote = sending.learned(jobs, here, remote, said)
        status = jobs.ended(remote.job)
    remote = _checked_begun(jobs, here, remote, said, told=True)
    say(f"{_where(remote)}; next:\n  sweep show {_words(here, results)}")
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
        words = _words(here, results)
        say(f"\n{here.name} goes on there: `sweep logs {words} -f` follows it, `sweep stop {words}` ends it")
        raise


def _checked_begun(jobs: Jobs, here: SweepPaths, remote: Remote, said: str, *, told: bool = False) -> Remote:
    """The record brought up to date.

    Raises:
        SweepError: The job ended before its sweep began. Of a launch that is no sweep, nothing stays.
    """
    remote = sending.learned(jobs, here, remote, said)
    if sending.begun(said) or not remote.ended:
        return remote
    if not remote.directory:
        _remove(here)
    status = jobs.status(remote.job)
    if said and not told:
        say("\n".join(said.rstrip().splitlines()[-LAST_WORDS:]))
    error = UserError if status.exit_code == UserError.exit_code else SweepError
    raise error(f"the job ended before the sweep began{': ' * bool(status.message)}{status.message}")


def _remove(here: SweepPaths) -> None:
    """Take back the name of a sweep of which nothing was recorded."""
    here.remote.unlink()
    here.root.rmdir()


def _directory(remote: Remote, here: SweepPaths) -> str:
    if not remote.directory:
        raise UserError(f"{here.name} has not begun on {remote.address} ({remote.status}); nothing is recorded yet")
    return remote.directory


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
    missing = sending.left_behind(source.spec, source.base, snapshot) if source is not None else []
    if missing:
        say(f"left out, though the spec names it: {', '.join(missing)}; a line !{missing[0]} in {IGNORE} takes it in")


def _where(remote: Remote) -> str:
    return f"recorded in {remote.directory} on {remote.address}"


def _words(here: SweepPaths, results: Path) -> str:
    return here.name if results == RESULTS else f"{here.name} --results {shlex.quote(str(results))}"


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


@contextmanager
def _in_words() -> Iterator[None]:
    """What a cluster cannot do is what the user asked for and cannot have."""
    try:
        yield
    except ClusterError as error:
        raise UserError(str(error)) from error
