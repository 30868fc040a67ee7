"""Which sweeps there are. Kept apart from `load`, so that listing them needs no pyarrow."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import NoSuchSweepError, RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.sites.remote_record import read_remote, seen_here
from orchestrator.suggestions import near_names


def find_sweeps(results: Path) -> list[SweepPaths]:
    """All sweeps whose records are seen from here, the newest last; none if the directory does not exist.

    A sweep whose sweep.json cannot be read is listed first. A directory without one is no sweep.
    """
    return [seen for here in find_all(results) if (seen := seen_here(here)).info.is_file()]


def find(results: Path, name: str | None = None) -> SweepPaths:
    """The records of the sweep of that name, or the only one whose name begins so, or the latest if no name is given.

    Raises:
        NoSuchSweepError: There is none, or the beginning fits several; the sentence lists the nearest names. Or it
            is on a cluster, and its records have not been fetched.
    """
    here = find_here(results, name)
    if not (seen := seen_here(here)).info.is_file():
        raise NoSuchSweepError(f"{here.name} is on a cluster; `sweep pull {here.name}` fetches what it has recorded")
    return seen


def find_all(results: Path) -> list[SweepPaths]:
    """Likewise, with those on clusters: the directories in ``results``, whether or not there are records in them."""
    if not results.is_dir():
        return []
    sweeps = [sweep for root in results.iterdir() if _exists(sweep := SweepPaths(root))]
    return sorted(sweeps, key=lambda sweep: (_created(sweep), sweep.name))


def find_here(results: Path, name: str | None = None) -> SweepPaths:
    """The directory in ``results`` that belongs to the sweep, as ``find`` takes names.

    Raises:
        NoSuchSweepError: There is none, or the beginning fits several; the sentence lists the nearest names.
    """
    if name and _exists(exact := SweepPaths(results / name)):
        return exact
    sweeps = find_all(results)
    if not sweeps:
        raise NoSuchSweepError(f"there are no sweeps in {results}")
    if name is None:
        return sweeps[-1]
    fitting = [sweep for sweep in sweeps if sweep.name.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        latest = ", ".join(sweep.name for sweep in fitting[-5:])
        raise NoSuchSweepError(f"{len(fitting)} sweeps in {results} begin with {name!r}; the latest: {latest}")
    names = [sweep.name for sweep in sweeps]
    near = near_names(name, names, most=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the latest: {', '.join(names[-3:])}"
    raise NoSuchSweepError(f"no sweep {name!r} in {results}; {hint}")


def _exists(sweep: SweepPaths) -> bool:
    return sweep.info.is_file() or sweep.remote.is_file()


def _created(sweep: SweepPaths) -> str:
    try:
        if (remote := read_remote(sweep)) is not None:
            return remote.submitted
        return read_sweep_json(sweep.info).created
    except RecordsError:
        return ""
