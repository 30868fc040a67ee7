"""What `sweep next` would change in the spec, and why."""

from __future__ import annotations

from orchestrator.analysis.compare.importance import Importance
from orchestrator.analysis.next_spec.prior_results import FEWEST
from orchestrator.analysis.next_spec.propose import revise
from orchestrator.analysis.report.data import NextChanges
from orchestrator.errors import RecordsError, SweepError
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


def next_changes(paths: SweepPaths, info: SweepInfo, importance: Importance) -> NextChanges:
    """The changes of `sweep next`; no code of the sweep is run.

    Args:
        paths: The sweep's files.
        info: The contents of sweep.json.
        importance: The importance of its parameters.

    Raises:
        RecordsError: The records are damaged.
    """
    try:
        found = revise(paths, info, importance)
    except RecordsError:
        raise
    except SweepError as error:
        return NextChanges(changes=(), remark=str(error).partition("\n")[0])
    few = f"{count(len(found.prior.ranked), 'result')}, and {FEWEST} are needed to change ranges"
    return NextChanges(changes=found.proposal.changes, remark="" if found.prior.enough else few)
