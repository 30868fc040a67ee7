"""How much does a trial cost that does nothing?

A trial reports once and ends. Whole fits are timed, records included, from a running Ray to the last file.
"""

from __future__ import annotations

from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 500
DEFAULT_TRIALS = 16  # of Ray's defaults, which take two seconds each


def train(config: dict[str, Any], trial: Any) -> None:
    """Our trainable, which does nothing."""
    trial.report(step=1, loss=config["x"])


def train_ray(config: dict[str, Any]) -> None:
    """Ray Tune's trainable, which does nothing."""
    from ray import tune

    tune.report({"loss": config["x"]})


def ours() -> Figures:
    """Run 500 trials, with complete records."""
    return _ours("reuse")


def ours_forked() -> Figures:
    """The same, each trial in a process of its own."""
    return _ours("fork")


def _ours(isolation: str) -> Figures:
    from benchmarks.ours import fit, random_search

    seconds, sweep = fit(train, random_search(TRIALS, isolation))
    assert len(sweep.trials) == len(sweep.metrics) == TRIALS
    return {"ms": seconds / TRIALS * 1e3}


def ray_default() -> Figures:
    """Run Ray Tune with its defaults."""
    return {"ms": _ray(DEFAULT_TRIALS, tuned=False)}


def ray_tuned() -> Figures:
    """Run Ray Tune with its fastest settings."""
    return {"ms": _ray(TRIALS, tuned=True)}


def _ray(trials: int, *, tuned: bool) -> float:
    from ray import tune

    from benchmarks.peers.ray_tune import fit

    return fit(train_ray, {"x": tune.uniform(0, 1)}, trials, tuned=tuned) / trials * 1e3


QUESTION = Question(
    name="no_op_trials",
    title="A trial that does nothing",
    cases={
        "ray_default": Case(run=ray_default, repeats=2),
        "ray_tuned": Case(run=ray_tuned),
        "ours": Case(run=ours),
        "ours_forked": Case(run=ours_forked),
    },
    comparisons=[
        Comparison(
            row="1",
            what="a no-op trial, records included",
            figure="ms",
            unit="ms",
            peer="ray_default",
            target=80,
        ),
        Comparison(
            row="1", what="a no-op trial, records included", figure="ms", unit="ms", peer="ray_tuned", target=1.5
        ),
        Comparison(
            row="1",
            what="a no-op trial in a process of its own, records included",
            figure="ms",
            unit="ms",
            ours="ours_forked",
            peer="ray_default",
            target=60,
        ),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
