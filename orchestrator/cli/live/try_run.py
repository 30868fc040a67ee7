"""`sweep try`: trains one trial in this process, without Ray, under the same state machine as in a sweep."""

from __future__ import annotations

import os
import pdb
import random
import sys
import time
from collections.abc import Mapping
from typing import Any

import typer

from orchestrator.cli import json_output
from orchestrator.cli.formats import COLOURS, painted, say
from orchestrator.cli.live.json_lines import ended
from orchestrator.cli.views.text import config_line
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Config, State
from orchestrator.core.sweep import Sweep
from orchestrator.errors import Mistake, OptionsError, Place, SpecError, TrialsFailedError, UserError
from orchestrator.formatting import count, duration
from orchestrator.spec import Spec, load_trainable
from orchestrator.spec.source import Source
from orchestrator.worker.failures import describe
from trainables.contract import Report, Trial, TrialEnded
from trainables.contract import run as run_trainable
from trainables.process.isolation import SharedProcess


def try_trial(found: Source, given: str | None, *, steps: int | None, debug: bool, as_json: bool = False) -> None:
    """Train trial 0 of a sweep, and print its reports as they come.

    Args:
        found: The spec.
        given: YAML of values that replace sampled ones.
        steps: Stop after this many reports.
        debug: Enter pdb where the trainable raises.
        as_json: Print the reports, and how it ended, as events.

    Raises:
        SpecError: The given values are not in the space.
        SweepError: The trial failed.
    """
    sweep, start = first_trial(found, given)
    say(f"trial 0: {config_line(start.config)}")
    if as_json:
        json_output.event("trial-started", trial=0, attempt=1, config=start.config, after=None)
    trial_run = TrialRun(sweep, steps, as_json=as_json)
    trial_run.run(found, start, debug=debug)
    trial_run.close()


def first_trial(found: Source, given: str | None) -> tuple[Sweep, events.Start]:
    """A sweep and its first trial, in which given values replace sampled ones.

    Raises:
        SpecError: The given values are not in the space.
        UserError: The space holds no configuration.
    """
    sweep = _one_trial(found, given)
    start = sweep.ask(time.time())
    if start is None:
        raise UserError("the space holds no configuration that meets the constraints")
    return sweep, start


class TrialRun:
    """One trial, trained in this process: reports go to the state machine, and its decisions to the user.

    Attributes:
        reports: What the trial reported.
    """

    def __init__(self, sweep: Sweep, steps: int | None, *, print_reports: bool = True, as_json: bool = False) -> None:
        """Prepare the trial.

        Args:
            sweep: The state machine, which has been asked for its first trial.
            steps: Stop after this many reports.
            print_reports: Print each report.
            as_json: As events.
        """
        self._sweep = sweep
        self._steps = steps
        self._aloud = print_reports
        self._as_json = as_json
        self.reports: list[Report] = []
        self._began = time.monotonic()

    def run(
        self, found: Source, start: events.Start, *, debug: bool = False, more: Mapping[str, Any] | None = None
    ) -> None:
        """Train the trial in this process, as a worker would.

        Args:
            found: The spec.
            start: The trial.
            debug: Enter pdb where the trainable raises.
            more: Hyperparameters on top of the trial's.
        """
        defaults = found.declaration.defaults() if found.declaration is not None else {}
        trainable = load_trainable.load(found.spec.trainable, found.base)
        config = {**defaults, **found.spec.fixed, **start.config, **(more or {})}
        trial = Trial(config=config, seed=start.seed, sink=self.take, train_s=lambda: self.seconds)
        os.chdir(found.base)
        isolation = SharedProcess()
        isolation.prepare(seed=start.seed, threads=max(1, int(found.spec.resources.cpu)))
        try:
            self.train(trainable, trial, debug)
        finally:
            isolation.restore()

    def train(self, trainable: Any, trial: Trial, debug: bool) -> None:
        """Train to the end, and record how the trial ended."""
        self._began = time.monotonic()
        self._sweep.on(events.Started(trial=0, at=time.time()))
        try:
            if load_trainable.shape_of(trainable) == "ray":
                from orchestrator.worker import ray_function

                ray_function.run(trainable, trial)
            else:
                run_trainable(trainable, trial)
        except TrialEnded:
            return
        except (Exception, SystemExit) as error:
            failure = describe(error)
            numerical = isinstance(error, OverflowError | FloatingPointError)
            self._sweep.on(
                events.Failed(trial=0, at=time.time(), failure=failure, train_s=self.seconds, numerical=numerical)
            )
            say(failure.traceback.rstrip())
            if debug:
                pdb.post_mortem(error.__traceback__)
            return
        self._sweep.on(events.Finished(trial=0, at=time.time(), train_s=self.seconds))

    def take(self, report: Report) -> None:
        """Take a report of the trainable."""
        now = time.time()
        goes_on = self._sweep.on(events.Reported(trial=0, at=now, reports=[report]))
        metrics = "  ".join(f"{name} {value:.5g}" for name, value in report.metrics.items())
        if self._as_json:
            json_output.event("report", at=now, trial=0, step=report.step, metrics=report.metrics, train_s=self.seconds)
        elif self._aloud:
            typer.echo(f"step {report.step:<5} {metrics}  ({duration(self.seconds)})")
        self.reports.append(report)
        if not goes_on:
            raise TrialEnded
        if len(self.reports) == self._steps:
            self._sweep.on(events.Halted(at=now, reason=f"stopped after {count(self._steps, 'report')}"))
            raise TrialEnded

    def close(self) -> None:
        """Print how the trial ended.

        Raises:
            SweepError: The trial failed.
        """
        trial = self._sweep.trials[0]
        if self._as_json:
            json_output.event("trial-ended", **ended(trial))
        self.check()
        state = painted(trial.state, COLOURS.get(trial.state), sys.stderr)
        say(f"{state} in {duration(self.seconds)}: {trial.reason}")
        metric = trial.objective.metric
        if trial.best is None and trial.state is State.CANCELLED:
            say(f"warning: no report contains the objective {metric}")
        if trial.best is not None and not self._as_json:
            typer.echo(f"{metric}: best {trial.best:.6g} at step {trial.best_step}, last {trial.last:.6g}")

    def check(self) -> None:
        """Raise an error if the trial failed.

        Raises:
            SweepError: The trial failed.
        """
        trial = self._sweep.trials[0]
        if trial.state is State.FAILED:
            raise TrialsFailedError(f"the trial failed after {count(len(self.reports), 'report')}: {trial.reason}")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


def _one_trial(found: Source, given: str | None) -> Sweep:
    """A sweep whose first trial is the one to try; a failed attempt is not retried."""
    spec = found.spec.model_copy(update={"trial": found.spec.trial.model_copy(update={"retries": 0})})
    if given is None:
        return build_sweep(spec, found.declaration, base=found.base)
    first = build_sweep(spec, found.declaration, base=found.base).ask(0.0)
    # `sweep best` prints the fixed values with the searched ones, and what it prints can be tried.
    fixed = spec.fixed.items()
    searched = {name: value for name, value in _mapping(given).items() if (name, value) not in fixed}
    config = _with_given(spec, searched, first.config if first is not None else {})
    start = spec.search.model_copy(update={"start": [config]})
    return build_sweep(spec.model_copy(update={"search": start}), found.declaration, base=found.base)


def _with_given(spec: Spec, given: Mapping[str, Any], drawn: Config) -> Config:
    """The sampled configuration with the given values; parameters that these activate are sampled too."""
    space, rng = spec.parameter_space(), random.Random(spec.search.seed)

    def suggest(name: str, distribution: Any) -> Any:
        if name in given:
            return given[name] if distribution.contains(given[name]) else distribution.from_unit(0.5)
        return drawn[name] if name in drawn else distribution.from_unit(rng.random())

    config = space.draw(suggest)
    problems = space.mistakes_in({**config, **given})
    if problems:
        place = Place(option="--config")
        raise SpecError(
            [
                Mistake(place=place, key=name, problem=problem, allowed=allowed, value=given.get(name))
                for name, problem, allowed in problems
            ]
        )
    return config


def _mapping(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        value = None
    if not isinstance(value, dict):
        raise OptionsError(f"--config takes names and values, as '{{lr: 0.01}}', not {text!r}")
    return value
