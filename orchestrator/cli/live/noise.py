"""`sweep try --noise`: trains one configuration with several seeds, in this process."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from orchestrator.analysis.compare.seed_noise import SeedNoise, seed_noise
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.live.try_run import TrialRun, first_trial
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import config_line
from orchestrator.errors import TrialsFailedError
from orchestrator.formatting import duration
from orchestrator.spec.source import Source


def measure_noise(found: Source, given: str | None, seeds: int, *, steps: int | None, as_json: bool = False) -> None:
    """Train the default configuration with several seeds, and print how much its result varies.

    Args:
        found: The spec.
        given: YAML of values that replace sampled ones.
        seeds: How many, at least two.
        steps: Stop each training after this many reports.
        as_json: Print a document.

    Raises:
        SpecError: The given values are not in the space.
        SweepError: A trial failed, or has no result.
    """
    metric = found.spec.objective.metric
    trained: list[dict[str, Any]] = []
    for number in range(seeds):
        sweep, start = first_trial(found, given, default=True)
        if not trained:
            say(f"trial 0: {config_line(start.config)}")
        start = replace(start, seed=(start.seed + number) % 2**31)
        trial_run = TrialRun(sweep, steps, print_reports=False)
        trial_run.run(found, start)
        trial_run.check()
        trial, value = sweep.trials[0], sweep.trials[0].result
        if value is None or not trial.judged:
            why = trial.reason if value is not None else f"no report contains the objective {metric}"
            raise TrialsFailedError(f"the trial with seed {start.seed} has no result: {why}")
        trained.append({"seed": start.seed, "value": value, "steps": len(trial_run.reports)})
        say(f"seed {start.seed}: {metric} {value:.5g} after {duration(trial_run.seconds)}")
    noise = seed_noise([each["value"] for each in trained])
    if as_json:
        json_output.document({"trainings": trained, **asdict(noise)})
        return
    tell(as_table([{"seed": each["seed"], metric: each["value"], "steps": each["steps"]} for each in trained]))
    tell(_in_words(metric, noise, seeds))


def _in_words(metric: str, noise: SeedNoise, seeds: int) -> str:
    if noise.deviation == 0:
        return f"{metric} is the same with {seeds} seeds: the training does not depend on trial.seed"
    more = "; more seeds narrow that (--seeds 5)" if seeds < 5 else ""
    return (
        f"between seeds, {metric} has a standard deviation of {noise.deviation:.2g}; two trials that differ by less"
        f" than {noise.difference:.2g} may differ by chance (95%){more}"
    )
