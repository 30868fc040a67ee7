"""A training program as a trainable: ``program(config, trial)`` runs it, and reports what it prints to the trial."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainables.command.checkpoint_dir import CheckpointDir
from trainables.command.executable import path_variable
from trainables.command.failure import ProgramFailed, failed
from trainables.command.metrics import sources
from trainables.command.metrics.proposal import line_of_spec, proposed_pattern
from trainables.command.output import Output
from trainables.command.process import Process
from trainables.command.run import Run
from trainables.command.sigterm import STOP_S, TURN_S, Sigterm
from trainables.command.steps import Steps
from trainables.command.template import expand, expand_arguments, names_in
from trainables.command.values import CHECKPOINT_DIR, RESUME, values_of, within
from trainables.trial import Trial, TrialEnded

LOOK_S = 0.2
"""Seconds after which it is noticed at the latest that the trial is to end, or that the program has ended."""
RANK_LOOK_S = 0.05
"""The same of several ranks: all are told to end at about the same time, and which ended first is known."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A training program, with placeholders for the configuration of a trial.

    Attributes:
        text: The command as the user wrote it.
        arguments: The program and its arguments.
        env: Environment variables, on top of those of this process.
        output: Where its metrics are.
        objective: The metric by which trials are judged.
        resume: What ``{resume}`` stands for if the trial continues from a checkpoint.
        template: The path of a file that is filled with the values for ``{config.*}``; "": there is none.
        parameters: The names of all parameters.
        grace_s: Seconds that it may take to end when it is told to.
    """

    text: str
    arguments: tuple[str, ...]
    objective: str
    env: Mapping[str, str] = field(default_factory=dict)
    output: Output = field(default_factory=Output)
    resume: tuple[str, ...] = ("{checkpoint_dir}",)
    template: str = ""
    parameters: tuple[str, ...] = ()
    grace_s: float = 10.0

    def __str__(self) -> str:
        return self.text

    def placeholders(self) -> Iterator[str]:
        """The names of all placeholders."""
        resumes = False
        for text in (*self.arguments, *self.env.values(), self.output.path):
            for name in names_in(text):
                resumes = resumes or name == RESUME
                yield name
        for text in self.resume if resumes else ():
            yield from names_in(text)

    def example(self, config: Mapping[str, Any]) -> list[str]:
        """The arguments for a configuration; what only a trial knows keeps its placeholder, {resume} is left out."""
        own = {name: f"{{{name}}}" for name in self.placeholders() if name != RESUME and name not in self.parameters}
        known = {name: within(config, name) for name in self.placeholders()}
        return expand_arguments(self.arguments, own | {name: each for name, each in known.items() if each is not None})

    def __call__(self, config: Mapping[str, Any], trial: Trial) -> None:
        """Run the program for a configuration, to its end. With several ranks, the output of rank 0's has the metrics.

        Raises:
            ProgramFailed: It ended with an error, or without a metric.
            TrialEnded: The trial is to end; the program has ended.
        """
        saves = not {CHECKPOINT_DIR, RESUME}.isdisjoint(self.placeholders())
        try:
            with trial.rank_0_first():  # it writes what they share
                checkpoints = CheckpointDir(trial) if saves else None
                values = self._values(config, trial, checkpoints)
        except OSError as error:
            raise ProgramFailed(127, "", ended=f"cannot be prepared: {error}") from error
        arguments = expand_arguments(self.arguments, values)
        file = None if trial.rank else sources.of_file(self.output, values, self.objective)
        steps = Steps(
            objective=self.objective,
            key=self.output.step,
            after=(checkpoints.step or 0) if checkpoints is not None else 0,
        )
        with Sigterm() as sigterm:
            try:
                process = Process(arguments, self._environment(values))
            except OSError as error:
                raise ProgramFailed(127, "", ended=f"cannot be started: {error.strerror}") from error
            run = Run(
                trial,
                steps,
                process=process,
                checkpoints=checkpoints,
                printed=None if self.output.path or trial.rank else sources.of_line(self.output),
                stderr=bool(self.output.pattern),
                file=file,
            )
            self._follow(process, values, trial, run, checkpoints, sigterm)

    def _follow(
        self,
        process: Process,
        values: Mapping[str, Any],
        trial: Trial,
        run: Run,
        checkpoints: CheckpointDir | None,
        sigterm: Sigterm,
    ) -> None:
        """Report what the program says, to its end; errors as of a call."""
        try:
            while process.status is None:
                run.take(process.read(LOOK_S if trial.world_size == 1 else RANK_LOOK_S))
                if trial.ended:
                    raise TrialEnded
            run.take(process.last_words())
            run.close()
        except BaseException as error:
            complete = isinstance(error, TrialEnded) and error.complete and trial.world_size == 1
            run.log(process.end(self.grace_s, by_itself_s=self.grace_s / 2 if complete else 0.0))
            raise
        finally:
            process.kill()
            if checkpoints is not None:
                checkpoints.close()
        if sigterm.explains(process.status or 0):
            _wait_for_end(trial)
        resumed = checkpoints is not None and checkpoints.step is not None  # and may have had nothing left to train
        if process.status or not (run.reported or resumed or trial.rank):
            raise failed(
                process.status,
                run.tail,
                ended="" if process.status else self._nothing(values, run.tail),
                at=process.ended_at,
            )

    def _values(self, config: Mapping[str, Any], trial: Trial, checkpoints: CheckpointDir | None) -> dict[str, Any]:
        """What replaces each placeholder."""
        values = values_of(self.placeholders(), trial, config, template=self.template, parameters=self.parameters)
        if checkpoints is not None:
            values[CHECKPOINT_DIR] = str(checkpoints.path)
            if checkpoints.step is not None:
                resume = expand_arguments(self.resume, values)
                values[RESUME] = resume[0] if len(resume) == 1 else resume
        return values

    def _nothing(self, values: Mapping[str, Any], tail: str) -> str:
        """How to say that nothing was reported."""
        where = expand(self.output.path, values) or "its output"
        if not self.output.path or self.output.pattern:
            what = "matches output.pattern" if self.output.pattern else "is JSON or a dictionary with a number"
            pattern = "" if self.output.pattern else proposed_pattern(tail.splitlines(), self.objective)
            remedy = f"; it has {self.objective} with {line_of_spec(pattern)}" if pattern else ""
            return f"ended with exit status 0 and gave no metric: no line of {where} {what}{remedy}"
        return f"ended with exit status 0 and gave no metric: no number in {where}"

    def _environment(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Python's output is not buffered: a report that waits in a buffer is decided about too late."""
        own = {name: expand(text, values) for name, text in self.env.items()}
        return {"PYTHONUNBUFFERED": "1", **os.environ, "PATH": path_variable(), **own}


def _wait_for_end(trial: Trial) -> None:
    """Wait until the sweep ends the trial, which may take it a while.

    Raises:
        TrialEnded: It does.
    """
    print("sweep: the program got SIGTERM with all processes of the job; the sweep is being ended", file=sys.stderr)
    until = time.monotonic() + STOP_S
    while time.monotonic() < until:
        if trial.ended:
            raise TrialEnded
        time.sleep(TURN_S)
