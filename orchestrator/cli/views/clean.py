"""`sweep clean`: lists and deletes what is not to be kept, sweep by sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.after import clean
from orchestrator.after.clean import Surplus
from orchestrator.cli.formats import say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.views.table import as_table
from orchestrator.control import lease
from orchestrator.control.lease import LeaseHeldError
from orchestrator.errors import RecordsError, StillRunningError, SweepError
from orchestrator.formatting import count, size
from orchestrator.records.paths import SweepPaths


def clean_sweeps(sweeps: Iterable[SweepPaths], keep: str | None, *, dry_run: bool, as_json: bool = False) -> None:
    """Delete what is not to be kept, or only list it. A sweep that cannot be cleaned does not keep others from it.

    Raises:
        SweepError: At least one could not be cleaned.
    """
    rows: list[dict[str, Any]] = []
    removed: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    freed = failed = 0
    for paths in sweeps:
        if lease.status(paths.lease) in ("running", "running?"):
            say(f"skipped {paths.name}: it is running")
            left.append({"sweep": paths.name, "code": StillRunningError.code, "message": "running"})
            continue
        try:
            found = clean.surplus_of(paths, keep) if dry_run else clean.clean(paths, keep, waiting=say)
        except LeaseHeldError as error:
            say(f"skipped {paths.name}: {error}")
            left.append({"sweep": paths.name, "code": error.code, "message": str(error)})
            continue
        except (RecordsError, KeyError) as error:
            say(f"cannot clean {paths.name}: {error}")
            left.append({"sweep": paths.name, "code": RecordsError.code, "message": str(error)})
            failed += 1
            continue
        rows += [_row(paths, each) for each in found]
        removed += [_data(paths, each) for each in found]
        freed += sum(each.size for each in found)
    if as_json:
        document({"dry_run": dry_run, "bytes": freed, "trials": removed, "left_alone": left})
    elif rows:
        verb = "would be freed; nothing was deleted" if dry_run else "freed"
        tell(f"{as_table(rows)}\n\n{size(freed)} in checkpoints of {count(len(rows), 'trial')} {verb}")
    elif not failed:
        say("nothing to delete")
    if failed:
        raise SweepError(f"{count(failed, 'sweep')} could not be cleaned")


def _row(paths: SweepPaths, each: Surplus) -> dict[str, Any]:
    return {
        "sweep": paths.name,
        "trial": each.trial,
        "state": each.state.value,
        "size": size(each.size),
        "files": " ".join(path.name for path in each.files),
    }


def _data(paths: SweepPaths, each: Surplus) -> dict[str, Any]:
    """A row as data, with whole paths."""
    return {
        "sweep": paths.name,
        "trial": each.trial,
        "state": each.state.value,
        "bytes": each.size,
        "files": [str(path) for path in each.files],
    }
