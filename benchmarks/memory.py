"""How much does the driver's memory grow over 10,000 trials of 50 reports each?

Its resident size when the last of the trials has ended, over that of a process that only imported ray.tune.
"""

from __future__ import annotations

from typing import Any

from benchmarks.long_sweep import resident_mib
from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 10_000
REPORTS = 50


def train(config: dict[str, Any], trial: Any) -> None:
    """A trial that reports as fast as it can."""
    for step in range(1, REPORTS + 1):
        trial.report(step=step, loss=config["x"] / step)


def ours() -> Figures:
    """Run the sweep with complete records."""
    import ray.tune  # noqa: F401

    imported = resident_mib()

    from benchmarks.ours import fit, random_search
    from orchestrator.driver.loop import DriverLoop

    seen = [imported]
    finish = DriverLoop.finish

    def finish_and_look(loop: DriverLoop) -> None:
        seen.append(resident_mib())
        finish(loop)
        seen.append(resident_mib())

    DriverLoop.finish = finish_and_look  # type: ignore[method-assign]
    seconds, sweep = fit(train, random_search(TRIALS))
    assert len(sweep.trials) == TRIALS
    assert len(sweep.metrics) == TRIALS * REPORTS
    return {"mib": max(seen) - imported, "mib_at_import": imported, "ms": seconds / TRIALS * 1e3}


QUESTION = Question(
    name="memory",
    title="The driver's memory over 10,000 trials of 50 reports",
    cases={"ours": Case(run=ours, repeats=1)},
    comparisons=[
        Comparison(row="memory", what="the driver, over its imports", figure="mib", unit="MiB", target=600),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
