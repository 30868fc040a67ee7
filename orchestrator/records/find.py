"""Finds sweeps by name. Separate from `load`, so that listing sweeps needs no pyarrow."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.errors import NoSuchSweepError, RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.records.remote_record import read_remote, visible_paths
from orchestrator.suggestions import did_you_mean, near_names


def find_sweeps(results: Path) -> list[SweepPaths]:
    """All sweeps whose records are on this machine, the newest last; none if the directory does not exist.

    Sweeps whose sweep.json cannot be read come first. Directories without a sweep.json are not sweeps.
    """
    return [seen for here in find_all(results) if (seen := _visible(here)).info.is_file()]


def find(results: Path, name: str | None = None) -> SweepPaths:
    """The records of a sweep, named as for ``find_here``.

    Raises:
        NoSuchSweepError: No sweep, or more than one, matches the name, or the sweep is on a cluster and its records
            have not been fetched.
    """
    here = find_here(results, name)
    if not (seen := visible_paths(here)).info.is_file():
        raise NoSuchSweepError(f"the records of {here.name} are on a cluster; fetch them with: sweep pull {here.name}")
    return seen


def find_all(results: Path) -> list[SweepPaths]:
    """All sweeps in ``results``, including sweeps on clusters whose records have not been fetched."""
    if not results.is_dir():
        return []
    sweeps = [sweep for root in results.iterdir() if _exists(sweep := SweepPaths(root))]
    return sorted(sweeps, key=lambda sweep: (_created(sweep), sweep.name))


def find_here(results: Path, name: str | None = None) -> SweepPaths:
    """The directory of a sweep on this machine, whether or not there are records in it.

    Args:
        results: The results directory.
        name: The sweep's name, the beginning of one, or a path of its directory; None: the latest sweep.

    Raises:
        NoSuchSweepError: No sweep, or more than one, matches the name.
    """
    if name and _exists(exact := SweepPaths(results / name)):
        return exact
    if name and (os.sep in name or name in (os.curdir, os.pardir)):
        at = SweepPaths(Path(os.path.abspath(os.path.expanduser(name))))
        if _exists(at):
            return at
        raise NoSuchSweepError(f"no sweep in {name}: there is no sweep.json")
    sweeps = find_all(results)
    if not sweeps:
        raise NoSuchSweepError(f"there are no sweeps in {results}")
    if name is None:
        return sweeps[-1]
    known = did_you_mean(name, [sweep.name for sweep in sweeps], kind="sweeps")
    fitting = [sweep for sweep in sweeps if sweep.name.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        latest = ", ".join(sweep.name for sweep in fitting[-5:])
        raise NoSuchSweepError(
            f"{len(fitting)} sweeps in {results} start with {name!r}; the latest: {latest}", value=name, allowed=known
        )
    names = [sweep.name for sweep in sweeps]
    near = near_names(name, names, most=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the latest: {', '.join(names[-3:])}"
    raise NoSuchSweepError(f"no sweep {name!r} in {results}; {hint}", value=name, allowed=known)


def _visible(here: SweepPaths) -> SweepPaths:
    try:
        return visible_paths(here)
    except RecordsError:
        return here


def _exists(sweep: SweepPaths) -> bool:
    return os.path.isfile(sweep.info) or os.path.isfile(sweep.remote)  # also of a name that no file can have


def _created(sweep: SweepPaths) -> str:
    try:
        if (remote := read_remote(sweep)) is not None:
            return remote.submitted
        return read_sweep_json(sweep.info).created
    except RecordsError:
        return ""
