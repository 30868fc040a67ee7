"""Builds the sweep that trains one recorded trial again: the same configuration, seed, code and data."""

from __future__ import annotations

import platform
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.after.recorded_code import RecordedCode, recorded_code
from orchestrator.after.written_spec import written_spec
from orchestrator.analysis.compare.same_curve import Curves, curves_of
from orchestrator.analysis.summary.ranking import configs
from orchestrator.code.files import CodeFile, sources_by_path
from orchestrator.code.pinned import pin
from orchestrator.code.syntax import CODE
from orchestrator.core.rows import State
from orchestrator.errors import CodeChangedError, NoSuchTrialError
from orchestrator.formatting import count, listed
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.project import given_again, project_directory
from orchestrator.records.provenance import SweepInfo, git_state, package_versions
from orchestrator.spec.fingerprint import data_fingerprints
from orchestrator.spec.source import Source

LONGEST = 100
"""The longest name of a sweep, in characters."""

ENDED_BY_ITSELF = (State.COMPLETED, State.DIVERGED, State.FAILED)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What is not as it was when the trial trained."""

    subject: str  # as in "torch", "code train.py", "git commit"
    recorded: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """A trial that is to be trained again."""

    source: Source  # ready to launch: a sweep of this trial alone
    trial: int
    curves: Curves  # what it reported
    end: str  # how it ended; "": the sweep ended it
    code: RecordedCode
    differences: Sequence[Difference]
    remarks: Sequence[str]  # what else may keep the repetition from being the same


def repetition(
    paths: SweepPaths, info: SweepInfo, trial: int, *, current_code: bool = False, project: Path | None = None
) -> Repetition:
    """Prepare to train a trial again, in this process from now on with the recorded code.

    Args:
        paths: The sweep's files.
        info: The content of its sweep.json.
        trial: The trial's number.
        current_code: Train the code of the project as it is now.
        project: Where code and data are now; None: where they were, or where they have moved along with the sweep.

    Raises:
        NoSuchTrialError: There is no such trial, or it has nothing to be compared with.
        CodeChangedError: The code has changed, and the records have no copy of it.
        UserError: The directory that the sweep was launched in is gone, or only Python can give its trainable again.
        SpecError: The recorded spec no longer fits the trainable.
        RecordsError: The records are damaged.
    """
    row = _row(paths, trial)
    curves, state = curves_of(paths, trial), State(row["state"])
    if not curves and state not in ENDED_BY_ITSELF:
        raise NoSuchTrialError(f"trial {trial} of {paths.name} is {state} and has no report to compare with")
    base = project_directory(paths, info, project)
    train = given_again(paths.name, info, base)
    code = recorded_code(paths, info, base, train)
    if code.lost and not current_code:
        raise CodeChangedError(
            f"{listed(code.lost)} changed since {paths.name} was launched, and its records have no copy that can be"
            " trained; --current-code trains the code as it is now"
        )
    recorded = code.files if code.changed and not current_code else None
    if recorded is not None:
        pin(sources_by_path(recorded))
    source = _source(paths, info, row, curves, base, recorded, train)
    return Repetition(
        source=source,
        trial=trial,
        curves=curves,
        end=end_of(paths, trial) if state in ENDED_BY_ITSELF else "",
        code=code,
        differences=[*_code_and_data(info, source, code), *_environment(info, base)],
        remarks=list(_remarks(info, row)),
    )


def is_repetition(info: SweepInfo) -> bool:
    """Whether a sweep is such a repetition."""
    return info.parent is not None and re.fullmatch(r".+-repro-\d+(-\d+)?", info.name) is not None


def end_of(paths: SweepPaths, trial: int) -> str:
    """How a trial ended: ``completed``, or ``failed: ValueError``."""
    row = _row(paths, trial)
    return f"{row['state']}: {row['error_type']}" if row["error_type"] else str(row["state"])


def _row(paths: SweepPaths, trial: int) -> dict[str, Any]:
    rows = trials_table(paths).to_pylist()
    for row in rows:
        if row["trial"] == trial:
            return dict(row)
    raise NoSuchTrialError(f"{paths.name} has no trial {trial}; it has {count(len(rows), 'trial')}, from 0")


def _source(
    paths: SweepPaths,
    info: SweepInfo,
    row: dict[str, Any],
    curves: Curves,
    base: Path,
    recorded: tuple[CodeFile, ...] | None,
    train: Callable[..., Any] | None,
) -> Source:
    trial = row["trial"]
    plain = _plain(paths.name, info, configs(paths, {trial})[trial], row, last=max(curves, default=0))
    head = f"trial {trial} of {paths.name} again; written by sweep repro"
    return written_spec(plain, head, base, train, recorded_code=recorded)


def _plain(sweep: str, info: SweepInfo, config: dict[str, Any], row: dict[str, Any], last: int) -> dict[str, Any]:
    before, suffix = info.spec, f"-repro-{row['trial']}"
    limits = ((before.get("scheduler") or {}).get("max"), before["trial"].get("max_time"))
    ended = row["state"] not in ENDED_BY_ITSELF or limits != (None, None)
    # As many steps, however long they take now.
    trial = {key: value for key, value in before["trial"].items() if key != "max_time"}
    return before | {
        "name": sweep[: LONGEST - len(suffix)] + suffix,
        "parent": sweep,
        "search": {"method": "list", "seed": info.seed, "configs": [config]},
        "space": {
            name: {key: value for key, value in distribution.items() if key not in ("prior", "weights")}
            for name, distribution in before["space"].items()
        },
        "scheduler": {"method": "none"} | ({"max": max(1, last)} if ended else {}),
        "budget": {},
        "trial": trial | {"seed": row["seed"]},
    }


def _code_and_data(info: SweepInfo, source: Source, code: RecordedCode) -> Iterator[Difference]:
    for name in code.changed:
        now = "no copy is recorded" if name in code.lost else "changed"
        yield Difference(subject=f"code {name}", recorded=info.fingerprints[name], now=now)
    data = {name: each for name, each in info.fingerprints.items() if not each.startswith(CODE)}
    now_data = data_fingerprints(source.spec, source.declaration, source.base)
    for name, before in data.items():
        if (now := now_data.get(name, "not read")) != before:
            yield Difference(subject=f"data {name}", recorded=before, now=now)


def _environment(info: SweepInfo, base: Path) -> Iterator[Difference]:
    now, git = package_versions(), git_state(base)
    pairs = [("host", info.host, socket.gethostname()), ("python", info.python, platform.python_version())]
    pairs += [(name, version, now.get(name, "not installed")) for name, version in info.versions.items()]
    if info.git is not None:
        pairs.append(("git commit", info.git.commit or "none", (git and git.commit) or "none"))
        if git is None or git.diff != info.git.diff:
            pairs.append(("uncommitted changes", "those in sweep.json", "others" if git and git.diff else "none"))
    return (Difference(subject=each, recorded=before, now=after) for each, before, after in pairs if before != after)


def _remarks(info: SweepInfo, row: dict[str, Any]) -> Iterator[str]:
    if row["attempts"] > 1:
        yield (
            f"trial {row['trial']} trained in {row['attempts']} attempts, each from the last checkpoint; its repetition"
            " trains in one"
        )
    later = [entry for entry in info.resumed if entry.get("changed") and _before(row["started_at"], entry)]
    if later:
        changed = listed(sorted({name for entry in later for name in entry["changed"]}))
        yield f"trial {row['trial']} began before a resume with another {changed}; the records have only that one"


def _before(started: Any, entry: dict[str, Any]) -> bool:
    from datetime import datetime

    return started is not None and started < datetime.fromisoformat(entry["at"])
