"""`sweep verify`: what was checked, and what is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.after.repair_log import Repaired
from orchestrator.cli.formats import painted
from orchestrator.cli.options import typed
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.verify import Verification


def verification_text(paths: SweepPaths, found: Verification, repaired: Sequence[Repaired] = ()) -> str:
    """What was repaired, and the verification: a line for each problem, or one in all."""
    lines = [f"{painted('repaired', 'green')}  {each.file}: {each.text}" for each in repaired]
    if found.problems:
        lines += [f"{painted('damaged', 'red')}  {problem.text}" for problem in found.problems]
        if {problem.record for problem in found.problems} == {"trials"}:
            lines.append(f"it can be written again: sweep verify {typed(paths)} --repair")
        elif len(found.problems) == 1 and not repaired and found.problems[0].file.suffix == ".parquet":
            lines.append(f"what can be read of it is kept by: sweep verify {typed(paths)} --repair")
        return "\n".join(lines)
    what = f"{count(found.trials, 'trial')}, {count(found.reports, 'report')}, {count(found.events, 'event')}"
    return "\n".join([*lines, f"{paths.name} is whole: {what} in {count(found.files, 'file')}"])


def verification_data(paths: SweepPaths, found: Verification, repaired: Sequence[Repaired] = ()) -> dict[str, Any]:
    """The verification as data."""
    return {
        "sweep": paths.name,
        "whole": not found.problems,
        "problems": [{"record": each.record, "file": str(each.file), "message": each.text} for each in found.problems],
        "repaired": [{"file": str(each.file), "message": each.text} for each in repaired],
        "files": found.files,
        "trials": found.trials,
        "reports": found.reports,
        "events": found.events,
    }
