"""Do later trials cost the driver more than earlier ones? And does the driver's memory grow?

One sweep of 10,500 trials that do nothing. The CPU time of the driver's thread is read at every start, in total and
within the hooks that Ray Tune calls: that part is ours, the rest Ray's.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 10_500
EARLY = (250, 750)  # around trial 500
LATE = (9_750, 10_250)  # around trial 10,000
SOAK_FROM = 1_000
HOOKS = {
    "Asker": ("suggest",),
    "Decider": ("begin", "on_trial_result", "on_trial_error", "on_trial_complete", "choose_trial_to_run"),
    "Watcher": ("on_step_end",),
}


class Meter:
    """CPU seconds of this thread, in total and within the hooks."""

    def __init__(self) -> None:
        self.ours = 0.0
        self.starts: list[tuple[float, float, float]] = []  # at each trial's start: all, ours, MiB
        self._depth = 0

    def within(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a hook to time it; nested hooks are not counted twice."""

        @functools.wraps(hook)
        def timed(*args: Any, **options: Any) -> Any:
            began = time.thread_time()
            self._depth += 1
            try:
                return hook(*args, **options)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.ours += time.thread_time() - began
                if hook.__name__ == "begin":
                    self.starts.append((time.thread_time(), self.ours, resident_mib()))

        return timed

    def per_trial_ms(self, window: tuple[int, int]) -> tuple[float, float]:
        """CPU time of ours and of Ray between the starts of two trials."""
        (all_0, ours_0, _), (all_1, ours_1, _) = (self.starts[number] for number in window)
        count = (window[1] - window[0]) / 1e3
        return (ours_1 - ours_0) / count, (all_1 - all_0 - ours_1 + ours_0) / count


def resident_mib() -> float:
    """The resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def train(config: dict[str, Any], trial: Any) -> None:
    """A trial that does nothing."""
    trial.report(step=1, loss=config["x"])


def ours() -> Figures:
    """Run the sweep with complete records."""
    import ray.tune  # noqa: F401

    from benchmarks.ours import fit, random_search
    from orchestrator.tune import hooks

    meter, imported = Meter(), resident_mib()
    for name, methods in HOOKS.items():
        hook = getattr(hooks, name)
        for method in methods:
            setattr(hook, method, meter.within(getattr(hook, method)))
    seconds, sweep = fit(train, random_search(TRIALS))
    assert len(sweep.trials) == len(sweep.metrics) == len(meter.starts) == TRIALS
    (ours_early, ray_early), (ours_late, ray_late) = meter.per_trial_ms(EARLY), meter.per_trial_ms(LATE)
    at = {number: meter.starts[number][2] for number in (500, SOAK_FROM, 5_000, 10_000)}
    return {
        "times": (ours_late + ray_late) / (ours_early + ray_early),
        "ours_times": ours_late / ours_early,
        "ray_times": ray_late / ray_early,
        "ours_early_ms": ours_early,
        "ours_late_ms": ours_late,
        "ray_early_ms": ray_early,
        "ray_late_ms": ray_late,
        "ms": seconds / TRIALS * 1e3,
        "mib_at_import": imported,
        **{f"mib_at_{number}": mib - imported for number, mib in at.items()},
        "kib_a_trial": (at[10_000] - at[SOAK_FROM]) * 1024 / (10_000 - SOAK_FROM),
    }


QUESTION = Question(
    name="long_sweep",
    title="The driver's CPU and memory over 10,500 trials",
    cases={"ours": Case(run=ours, repeats=3)},
    comparisons=[
        Comparison(
            row="3", what="driver CPU at trial 10,000 over that at 500", figure="times", unit="×", target=1.2, digits=3
        ),
        Comparison(row="3", what="our share of it", figure="ours_times", unit="×", target=1.05),
        Comparison(
            row="memory", what="driver at trial 10,000, over its imports", figure="mib_at_10000", unit="MiB", target=600
        ),
        Comparison(
            row="memory", what="growth a no-op trial, rows included", figure="kib_a_trial", unit="KiB", target=16
        ),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
