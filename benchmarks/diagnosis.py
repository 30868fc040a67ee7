"""How often is a diagnosis right? Compares the rules' verdicts with the known causes of trainings.

`python -m benchmarks.diagnosis` trains on data that no threshold was set on, and prints the confusion matrix; `--judge`
classifies the curves in the repository instead. `--churn` does the same with the curves that thresholds were set on.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.known_causes import Run, Table, churn_tables, known, measured_tables
from orchestrator.analysis.diagnosis.classify import classify
from orchestrator.analysis.diagnosis.curve import Curve, build_curve
from orchestrator.analysis.diagnosis.curve_metrics import CONVENTION, choose_curve_metrics
from orchestrator.analysis.diagnosis.reference import ReferenceTracker
from orchestrator.analysis.diagnosis.verdict import FAULTS, Kind, Verdict

CURVES = Path(__file__).parent / "curves"
MEASURED, CHURN = CURVES / "diagnosis.parquet", CURVES / "diagnosis-churn.parquet"
BORDERLINE = 10
"""Trainings with a mild fault, for which there is no right answer."""

COLUMNS = (*sorted(FAULTS, key=list(Kind).index), "no fault", Kind.TOO_SHORT)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A training and its verdict."""

    run: Run
    verdict: Verdict

    @property
    def said(self) -> str:
        """The fault, or "no fault"."""
        kind = self.verdict.kind
        return kind if kind in FAULTS or kind is Kind.TOO_SHORT else "no fault"

    @property
    def right(self) -> bool:
        """Whether the verdict matches the cause."""
        return self.said == ("no fault" if self.run.cause == "healthy" else self.run.cause)


def judged(runs: Sequence[Run], *, alone: bool = False) -> list[Judged]:
    """Classify each run against the others of its table, as in one sweep; or each alone, like a sweep's first trial."""
    found = []
    for table in dict.fromkeys(run.table for run in runs):
        curves = [(run, _curve(run)) for run in runs if run.table == table]
        tracker = ReferenceTracker()
        for _, curve in curves:
            if classify(curve)[0].kind is not Kind.DIVERGED:
                tracker.add(curve)
        reference = None if alone else tracker.reference
        found += [Judged(run=run, verdict=classify(curve, reference)[0]) for run, curve in curves]
    return found


def matrix(found: Iterable[Judged]) -> str:
    """The confusion matrix as Markdown: causes as rows, verdicts as columns."""
    counts = Counter((each.run.cause, each.said) for each in found)
    said = [column for column in COLUMNS if any(counts[cause, column] for cause, _ in counts)]
    lines = ["| known cause | " + " | ".join(said) + " |", "|---|" + "---|" * len(said)]
    for cause in dict.fromkeys(each.run.cause for each in found):
        lines.append(f"| {cause} | " + " | ".join(str(counts[cause, column] or "") for column in said) + " |")
    return "\n".join(lines)


def summary(found: Sequence[Judged]) -> str:
    """The share of right verdicts among clear cases, and the number of healthy trainings called faulty."""
    clear = [each for each in found if each.run.cause != "borderline"]
    right = sum(each.right for each in clear)
    healthy = [each for each in clear if each.run.cause == "healthy"]
    wrong = sum(not each.right for each in healthy)
    return f"{right} of {len(clear)} right ({right / len(clear):.1%}); {wrong} of {len(healthy)} healthy called faulty"


def read(path: Path) -> list[Run]:
    """Read the runs from a file."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path).to_pylist()
    return [
        Run(
            table=row["table"],
            cause=row["cause"],
            config=json.loads(row["config"]),
            steps=tuple(row["step"]),
            train=tuple(row["train_loss"]),
            validation=tuple(row["val_loss"]),
        )
        for row in rows
    ]


def write(runs: Sequence[Run], path: Path) -> None:
    """Write one row per run, with its curves as lists."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    floats = pa.list_(pa.float32())
    columns: dict[str, Any] = {
        "table": pa.array([run.table for run in runs]),
        "cause": pa.array([run.cause for run in runs]),
        "config": pa.array([json.dumps(run.config) for run in runs]),
        "step": pa.array([list(run.steps) for run in runs], pa.list_(pa.int32())),
        "train_loss": pa.array([list(run.train) for run in runs], floats),
        "val_loss": pa.array([list(run.validation) for run in runs], floats),
    }
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="zstd")


def train(tables: Iterable[Table]) -> list[Run]:
    """Train all runs of the tables, with at most BORDERLINE borderline ones."""
    import torch

    torch.set_num_threads(1)
    runs = []
    for table in tables:
        runs += known(table)
        print(f"{table.name}: {dict(Counter(run.cause for run in runs if run.table == table.name))}", flush=True)
    borderline = [run for run in runs if run.cause == "borderline"]
    return [run for run in runs if run.cause != "borderline"] + borderline[:BORDERLINE]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--churn", action="store_true", help="Use the churn data, on which thresholds were set.")
    parser.add_argument("--judge", action="store_true", help="Classify the recorded curves without training.")
    arguments = parser.parse_args()
    path = CHURN if arguments.churn else MEASURED
    if not arguments.judge:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        with tempfile.TemporaryDirectory() as directory:
            write(train(churn_tables() if arguments.churn else measured_tables(Path(directory))), path)
    found = judged(read(path))
    for each in found:
        if not each.right:
            print(f"{each.run.table}, {each.run.cause}: {each.verdict.kind}: {each.verdict.sentence}")
    print(matrix(found))
    print(summary(found))
    print("each alone:", summary(judged(read(path), alone=True)))


def _curve(run: Run) -> Curve:
    names = choose_curve_metrics(CONVENTION, objective=CONVENTION[1], mode="min")
    return build_curve(names, zip(run.steps, run.train, run.validation, strict=True))


if __name__ == "__main__":
    main()
