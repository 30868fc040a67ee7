"""`sweep try`: trains one trial in this process, without Ray, under the same state machine as in a sweep."""

from __future__ import annotations

import os
import pdb
import random
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from orchestrator import steady_clock
from orchestrator.cli import json_output
from orchestrator.cli.formats import COLOURS, painted, say, tell
from orchestrator.cli.live.json_lines import ended
from orchestrator.cli.views.text import config_line
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.rows import Config, State
from orchestrator.core.sweep import Sweep
from orchestrator.errors import Mistake, OptionsError, Place, SpecError, TrialsFailedError, UserError
from orchestrator.formatting import count, duration
from orchestrator.space.distributions import distribution_of
from orchestrator.spec import Spec, load_trainable
from orchestrator.spec.nested_names import flat
from orchestrator.spec.source import Source
from orchestrator.spec.trial_resources import threads
from orchestrator.suggestions import Allowed
from orchestrator.worker import loading
from orchestrator.worker.failures import describe
from orchestrator.worker.ranks.parts import sole_rank
from trainables.configuration import nested
from trainables.process.isolation import SharedProcess
from trainables.report import Report
from trainables.trial import Trial, TrialEnded


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
    if start.config:
        say(f"trial 0: {config_line(start.config)}")
    if as_json:
        json_output.event("trial-started", trial=0, attempt=1, config=start.config, after=None)
    trial_run = TrialRun(sweep, steps, as_json=as_json)
    trial_run.run(found, start, debug=debug)
    trial_run.close()


def first_trial(found: Source, given: str | None, *, default: bool = False) -> tuple[Sweep, events.Start]:
    """A sweep and its first trial, in which given values replace sampled ones.

    Args:
        found: The spec.
        given: YAML of values that replace sampled ones.
        default: Whether the defaults that the trainable declares do so, too, where they lie in the space.

    Raises:
        SpecError: The given values are not in the space.
        UserError: The space holds no configuration.
    """
    sweep = _one_trial(found, given, _defaults(found) if default else {})
    start = sweep.ask(steady_clock.now())
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
        self._notes_shown = 0
        self._suggested: Mapping[str, tuple[Any, Mapping[str, Any]]] = {}
        self._suggested_told = 0
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
        trainable = load_trainable.load(found.spec.trained, found.base)
        config = nested({**defaults, **self._sweep.space.fixed, **start.config, **(more or {})})
        trial = Trial(config=config, seed=start.seed, sink=self.take, train_s=lambda: self.seconds)
        self._suggested = trial.suggested
        os.chdir(found.base)
        isolation = SharedProcess()
        isolation.prepare(seed=start.seed, threads=threads(found.spec, start.asked))
        if found.spec.resources.workers > 1:
            os.environ.update(sole_rank().environ)
            if self._aloud:
                say(f"one rank trains, not {found.spec.resources.workers} (resources.workers)")
        try:
            self.train(trainable, trial, debug)
        finally:
            isolation.restore()

    def train(self, trainable: Any, trial: Trial, debug: bool) -> None:
        """Train to the end, and record how the trial ended."""
        self._began = time.monotonic()
        self._sweep.on(events.Started(trial=0, at=steady_clock.now()))
        try:
            loading.train(trainable, trial, self._sweep.objective.metric)
        except TrialEnded:
            return
        except (Exception, SystemExit) as error:
            self._tell_suggested()
            failure = describe(error)
            numerical = isinstance(error, OverflowError | FloatingPointError)
            self._sweep.on(
                events.Failed(
                    trial=0, at=steady_clock.now(), failure=failure, train_s=self.seconds, numerical=numerical
                )
            )
            say(failure.traceback.rstrip())
            if debug:
                pdb.post_mortem(error.__traceback__)
            return
        self._tell_suggested()
        now = steady_clock.now()
        self._sweep.on(events.Finished(trial=0, at=now, train_s=self.seconds))
        self._show_notes(now)

    def _tell_suggested(self) -> None:
        """Tell the state machine, and the user, what the trial has asked for since the last time."""
        if len(self._suggested) > self._suggested_told:
            found = {name: (value, distribution_of(written)) for name, (value, written) in self._suggested.items()}
            self._suggested_told = len(found)
            self._sweep.on(events.Suggested(trial=0, at=steady_clock.now(), parameters=found))
            if self._aloud and not self._as_json:
                say(f"it asks for: {config_line(self._sweep.trials[0].config)}")

    def take(self, report: Report) -> None:
        """Take a report of the trainable."""
        self._tell_suggested()
        now = steady_clock.now()
        further = bool(self.reports) and self.reports[-1].step == report.step
        if len(self.reports) == self._steps and not further:  # the last of them was without the objective
            self._stop(now)
        goes_on = self._sweep.on(events.Reported(trial=0, at=now, reports=[report]))
        metrics = "  ".join(f"{name} {value:.5g}" for name, value in report.metrics.items())
        if self._as_json:
            json_output.event("report", at=now, trial=0, step=report.step, metrics=report.metrics, train_s=self.seconds)
        elif self._aloud:
            tell(f"step {report.step:<5} {metrics}  ({duration(self.seconds)})")
        self.reports.append(self.reports.pop().joined(report) if further else report)
        self._show_notes(now)
        if not goes_on:
            raise TrialEnded
        if len(self.reports) == self._steps and self._sweep.objective.metric in report.metrics:
            self._stop(now)

    def _stop(self, now: float) -> NoReturn:
        self._sweep.on(events.Halted(at=now, reason=f"stopped after {count(len(self.reports), 'report')}"))
        raise TrialEnded

    def _show_notes(self, now: float) -> None:
        """Print what the state machine has to say about the reports."""
        notes = self._sweep.journal.notes
        while self._notes_shown < len(notes):
            note = notes[self._notes_shown]
            self._notes_shown += 1
            if self._as_json:
                json_output.event("note", at=now, text=note)
            elif self._aloud:
                say(f"warning: {note}")

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
            tell(f"{metric}: best {trial.best:.6g} at step {trial.best_step}, last {trial.last:.6g}")

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


def _defaults(found: Source) -> Config:
    """The declared defaults of searched hyperparameters, where they lie in the space."""
    declared = found.declaration.defaults() if found.declaration is not None else {}
    searched = found.spec.distributions()
    return {
        name: declared[name] for name, each in searched.items() if name in declared and each.contains(declared[name])
    }


def _one_trial(found: Source, given: str | None, defaults: Config) -> Sweep:
    """A sweep whose first trial is the one to try; a failed attempt is not retried."""
    spec = found.spec.model_copy(update={"trial": found.spec.trial.model_copy(update={"retries": 0})})
    if given is None and not defaults:
        return build_sweep(spec, found.declaration, base=found.base)
    first = build_sweep(spec, found.declaration, base=found.base).ask(0.0)
    # `sweep best` prints fixed and derived values with the searched ones, and what it prints can be tried.
    fixed = spec.fixed.items()
    searched = {
        name: value for name, value in flat(_mapping(given or "{}"), spec.space).items() if (name, value) not in fixed
    }
    if found.declaration is not None and found.declaration.define_by_run:
        spec = spec.model_copy(update={"fixed": {**spec.fixed, **searched}})
        return build_sweep(spec, found.declaration, base=found.base)
    derived = {name: searched.pop(name) for name in spec.derived if name in searched}
    drawn = first.config if first is not None else {}
    try:
        config = _with_given(spec, searched, {**drawn, **defaults})
    except SpecError:
        if not defaults:
            raise
        config = _with_given(spec, searched, drawn)  # the defaults do not meet the constraints
    _check_given(derived, spec.parameter_space().given(config), spec.derived)
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
    if problems := space.mistakes_in({**config, **given}):
        raise _wrong_config(problems, given)
    return config


def _check_given(given: Mapping[str, Any], computed: Config, derived: Mapping[str, str]) -> None:
    """Refuse values for what the spec derives, unless they are the same."""
    wrong = [name for name, value in given.items() if computed.get(name) != value]
    if wrong:
        raise _wrong_config([(name, f"{name} is derived", f"{name} = {derived[name]}") for name in wrong], given)


def _wrong_config(problems: Sequence[tuple[str, str, Allowed]], given: Mapping[str, Any]) -> SpecError:
    place = Place(option="--config")
    return SpecError(
        [
            Mistake(place=place, key=name, problem=problem, allowed=allowed, value=given.get(name))
            for name, problem, allowed in problems
        ]
    )


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
