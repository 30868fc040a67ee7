"""How much of two slots is training, when a trial takes 50 ms?

1,000 trials sleep 50 ms each and report once, two at a time: at best 25 s from the first start to the last end, as the
table of trials has them. What is missing to that is what lies between two trials of a slot, records included.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 1_000
SLOTS = 2
SLEEP_S = 0.05


def train(config: dict[str, Any], trial: Any) -> None:
    """A short trial."""
    time.sleep(SLEEP_S)
    trial.report(step=1, loss=config["x"])


def ours() -> Figures:
    """Run the sweep with complete records."""
    return _ours("reuse")


def ours_forked() -> Figures:
    """The same, each trial in a process of its own."""
    return _ours("fork")


def _ours(isolation: str) -> Figures:
    from benchmarks.ours import fit, random_search

    _, sweep = fit(train, random_search(TRIALS, isolation))
    trials = sweep.trials
    assert len(trials) == len(sweep.metrics) == TRIALS
    assert set(trials["state"]) == {"completed"}
    whole = (trials["ended_at"].max() - trials["started_at"].min()).total_seconds()
    trained = trials["train_s"].sum()
    assert trained >= SLEEP_S * TRIALS
    return {
        "percent": 100 * TRIALS * SLEEP_S / SLOTS / whole,
        "between_ms": (whole * SLOTS / TRIALS - SLEEP_S) * 1e3,
    }


QUESTION = Question(
    name="short_trials",
    title="Trials of 50 ms on two slots",
    cases={"ours": Case(run=ours, repeats=3), "ours_forked": Case(run=ours_forked, repeats=3)},
    comparisons=[
        comparison
        for case, how, percent, between_ms in (
            ("ours", "", 85, 8.8),
            ("ours_forked", ", each in a process of its own", 75, 17.0),
        )
        for comparison in (
            Comparison(
                row="2",
                what=f"1,000 trials of 50 ms, of the ideal{how}",
                figure="percent",
                unit="%",
                ours=case,
                more=True,
                target=percent,
            ),
            Comparison(
                row="2",
                what=f"between two trials of a slot{how}",
                figure="between_ms",
                unit="ms",
                ours=case,
                target=between_ms,
            ),
        )
    ],
)

if __name__ == "__main__":
    main(QUESTION)
