"""A training program as a trainable: ``program(config, trial)`` runs it, and reports what it prints to the trial."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from trainables.command.checkpoint_dir import CheckpointDir
from trainables.command.executable import path_variable
from trainables.command.failure import LONGEST, ProgramFailed, failed
from trainables.command.lines import Lines
from trainables.command.metrics import sources
from trainables.command.metrics.proposal import line_of_spec, proposed_pattern
from trainables.command.metrics.record import Record
from trainables.command.output import Output
from trainables.command.process import Process, Stream
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
        run = _Run(
            trial,
            Steps(
                objective=self.objective,
                key=self.output.step,
                after=(checkpoints.step or 0) if checkpoints is not None else 0,
            ),
            printed=None if self.output.path or trial.rank else sources.of_line(self.output),
            stderr=bool(self.output.pattern),
            file=None if trial.rank else sources.of_file(self.output, values, self.objective),
        )
        with Sigterm() as sigterm:
            self._follow(arguments, values, trial, run, checkpoints, sigterm)

    def _follow(
        self,
        arguments: Sequence[str],
        values: Mapping[str, Any],
        trial: Trial,
        run: _Run,
        checkpoints: CheckpointDir | None,
        sigterm: Sigterm,
    ) -> None:
        """Run the program and report what it says; errors as of a call."""
        try:
            process = Process(arguments, self._environment(values))
        except OSError as error:
            raise ProgramFailed(127, "", ended=f"cannot be started: {error.strerror}") from error
        if checkpoints is not None:
            run.before_report = lambda step: checkpoints.save(step, process)
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
        if process.status or not (run.reported or trial.rank):
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


class _Run:
    """What one run of a program has said so far.

    Attributes:
        reported: Whether anything was reported.
        tail: The end of its output.
        before_report: Called with each step before it is reported; returns what there is to be said.
    """

    def __init__(
        self,
        trial: Trial,
        steps: Steps,
        *,
        printed: Callable[[str], Record] | None,
        stderr: bool,
        file: sources.Source | None,
    ) -> None:
        """Begin.

        Args:
            trial: Takes the reports.
            steps: Decides to which steps they belong.
            printed: Reads a line that is printed; None: it has no metrics.
            stderr: Whether metrics are printed there, too: where people read them, and `logging` writes.
            file: Reads the file that has the metrics; None: there is none.
        """
        self.reported = False
        self.tail = ""
        self.before_report: Callable[[int], str] = lambda step: ""
        self._trial = trial
        self._steps = steps
        self._lines: Mapping[Stream, Lines] = {"stdout": Lines(), "stderr": Lines()}
        self._printed = printed
        self._read_from = ("stdout", "stderr") if stderr else ("stdout",)
        self._file = file
        self._remarks = 0

    def take(self, output: Iterator[tuple[Stream, bytes]] | Sequence[tuple[Stream, bytes]]) -> None:
        """Log what the program has printed, and report the metrics in it. Raises as ``trial.report`` does."""
        for stream, data in output:
            text = self._log(stream, data)
            for line in self._lines[stream].cut(text):
                self._read(stream, line)
        self._look_into_file()

    def log(self, output: Iterator[tuple[Stream, bytes]]) -> None:
        """Log what the program has printed after it was told to end."""
        for stream, data in output:
            self._log(stream, data)

    def close(self) -> None:
        """Report what the end of the output shows to be complete."""
        for stream, lines in self._lines.items():
            for line in lines.cut(lines.decoded(b"", last=True), last=True):
                self._read(stream, line)
        self._look_into_file(last=True)
        self._report(self._steps.end())

    def _log(self, stream: Stream, data: bytes) -> str:
        text = self._lines[stream].decoded(data)
        self.tail = (self.tail + text)[-LONGEST:]
        target = sys.stdout if stream == "stdout" else sys.stderr
        with suppress(OSError, ValueError):
            target.write(text)
            target.flush()
        return text

    def _read(self, stream: Stream, line: str) -> None:
        if self._printed is not None and stream in self._read_from and (record := self._printed(line)):
            self._report(self._steps.take(record))

    def _look_into_file(self, *, last: bool = False) -> None:
        if self._file is not None:
            records: list[Record] = []
            with suppress(OSError):  # it may be replaced at this moment, and is looked for again
                for record in self._file.read(last=last):
                    records.append(record)
            for record in records:
                self._report(self._steps.take(record))

    def _report(self, steps: Iterator[Any]) -> None:
        for each in steps:
            self.reported = True
            self._say(self.before_report(each.step))
            self._trial.report(step=each.step, **each.metrics)
        for remark in self._steps.remarks[self._remarks :]:
            self._remarks += 1
            self._say(f"not recorded: {remark}")

    def _say(self, text: str) -> None:
        if text:
            print(f"sweep: {text}", file=sys.stderr, flush=True)
