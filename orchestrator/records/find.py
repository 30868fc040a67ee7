"""Which sweeps there are. Kept apart from `load`, so that listing them needs no pyarrow."""

from __future__ import annotations

import difflib
from pathlib import Path

from orchestrator.errors import NoSuchSweepError, RecordsError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json


def find_sweeps(results: Path) -> list[SweepPaths]:
    """All sweeps in a results directory, the newest last; none if it does not exist.

    A sweep whose sweep.json cannot be read is listed first. A directory without one is no sweep.
    """
    if not results.is_dir():
        return []
    sweeps = [SweepPaths(root) for root in results.iterdir() if (root / "sweep.json").is_file()]
    return sorted(sweeps, key=lambda sweep: (_created(sweep), sweep.name))


def find(results: Path, name: str | None = None) -> SweepPaths:
    """The sweep of that name, or the only one whose name begins so, or the latest if no name is given.

    Raises:
        NoSuchSweepError: There is none, or the beginning fits several; the sentence lists the nearest names.
    """
    if name and (exact := SweepPaths(results / name)).info.is_file():
        return exact
    sweeps = find_sweeps(results)
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
    near = difflib.get_close_matches(name, names, n=3) or names[-3:]
    raise NoSuchSweepError(f"no sweep {name!r} in {results}; did you mean {' or '.join(near)}?")


def _created(sweep: SweepPaths) -> str:
    try:
        return read_sweep_json(sweep.info).created
    except RecordsError:
        return ""
