"""Recorded evaluations on the test set: which trial was scored, when, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.rows import EVALUATION
from orchestrator.records.details import parsed_detail
from orchestrator.records.load import events_table
from orchestrator.records.paths import SweepPaths


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of one trained trial on the test set."""

    trial: int
    at: datetime
    step: int  # of the checkpoint
    value: float  # the trial's result at that step
    scores: Mapping[str, float]
    checkpoint: str  # "best" or "last"
    changed: tuple[str, ...] = field(default=())  # what has changed since the launch, such as the trainable's code

    def data(self) -> dict[str, Any]:
        """The evaluation as JSON values."""
        return {
            "trial": self.trial,
            "at": self.at.isoformat(),
            "step": self.step,
            "checkpoint": self.checkpoint,
            "scores": dict(self.scores),
        }


def evaluations(paths: SweepPaths) -> list[Evaluation]:
    """All evaluations on the test set, the oldest first."""
    table = events_table(paths, ["event", "trial", "at", "step", "value", "detail"])
    found = []
    for number, event in enumerate(table["event"].to_pylist()):
        if event != EVALUATION:
            continue
        row = table.drop_columns("at").slice(number, 1).to_pylist()[0]
        detail = parsed_detail(EVALUATION, row["detail"], paths.events)
        found.append(
            Evaluation(
                trial=row["trial"],
                at=_time(table["at"].slice(number, 1)),
                step=row["step"],
                value=row["value"],
                scores=detail["scores"],
                checkpoint=detail["checkpoint"],
                changed=tuple(detail["changed"]),
            )
        )
    return found


def _time(column: Any) -> datetime:
    """The only time in a column. pyarrow's own conversion imports pandas, which takes longer than the rest."""
    microseconds = next(chunk for chunk in column.chunks if len(chunk)).view("int64")[0].as_py()
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
