"""One run of a program: what it prints is logged, and the metrics in it are reported with its checkpoints."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from trainables.command.checkpoint_dir import CheckpointDir
from trainables.command.failure import LONGEST
from trainables.command.lines import Lines
from trainables.command.metrics import sources
from trainables.command.metrics.record import Record
from trainables.command.process import Process, Stream
from trainables.command.steps import Step, Steps
from trainables.trial import Trial


class Run:
    """What one run of a program has said so far.

    Attributes:
        reported: Whether anything was reported.
        tail: The end of its output.
    """

    def __init__(
        self,
        trial: Trial,
        steps: Steps,
        *,
        process: Process,
        checkpoints: CheckpointDir | None,
        printed: Callable[[str], Record] | None,
        stderr: bool,
        file: sources.Source | None,
    ) -> None:
        """Begin.

        Args:
            trial: Takes the reports.
            steps: Decides to which steps they belong.
            process: The program.
            checkpoints: What it saves; None: nothing.
            printed: Reads a line that is printed; None: it has no metrics.
            stderr: Whether metrics are printed there, too: where people read them, and `logging` writes.
            file: Reads the file that has the metrics; None: there is none.
        """
        self.reported = False
        self.tail = ""
        self._trial = trial
        self._steps = steps
        self._process = process
        self._checkpoints = checkpoints
        self._lines: Mapping[Stream, Lines] = {"stdout": Lines(), "stderr": Lines()}
        self._printed = printed
        self._read_from = ("stdout", "stderr") if stderr else ("stdout",)
        self._file = file
        self._waiting: deque[Step] = deque()  # to be reported
        self._remarks = 0

    def take(self, output: Iterator[tuple[Stream, bytes]] | Sequence[tuple[Stream, bytes]]) -> None:
        """Log what the program has printed, and report the metrics in it. Raises as ``trial.report`` does."""
        self._read(output)
        self._report()

    def log(self, output: Iterator[tuple[Stream, bytes]]) -> None:
        """Log what the program has printed after it was told to end."""
        for stream, data in output:
            self._log(stream, data)

    def close(self) -> None:
        """Report what the end of the output shows to be complete."""
        for stream, lines in self._lines.items():
            for line in lines.cut(lines.decoded(b"", last=True), last=True):
                self._read_line(stream, line)
        self._look_into_file(last=True)
        self._waiting.extend(self._steps.end())
        self._report()

    def _log(self, stream: Stream, data: bytes) -> str:
        text = self._lines[stream].decoded(data)
        self.tail = (self.tail + text)[-LONGEST:]
        target = sys.stdout if stream == "stdout" else sys.stderr
        with suppress(OSError, ValueError):
            target.write(text)
            target.flush()
        return text

    def _read(self, output: Iterator[tuple[Stream, bytes]] | Sequence[tuple[Stream, bytes]]) -> None:
        """Log what the program has printed, and take the metrics in it and in its file."""
        for stream, data in output:
            text = self._log(stream, data)
            for line in self._lines[stream].cut(text):
                self._read_line(stream, line)
        self._look_into_file()

    def _read_line(self, stream: Stream, line: str) -> None:
        if self._printed is not None and stream in self._read_from and (record := self._printed(line)):
            self._waiting.extend(self._steps.take(record))

    def _look_into_file(self, *, last: bool = False) -> None:
        if self._file is not None:
            with suppress(OSError):  # it may be replaced at this moment, and is looked for again
                for record in self._file.read(last=last):
                    self._waiting.extend(self._steps.take(record))

    def _report(self) -> None:
        """Report the steps that wait, with the checkpoint of the last one; a program that is quick is ahead of them."""
        if self._waiting and self._checkpoints is not None:
            with self._checkpoints.to_be_copied(self._process) as saved:
                if saved:
                    self._read(self._process.printed())
                    while len(self._waiting) > 1:
                        self._report_next()
                    self._say(self._checkpoints.copy(self._waiting[0].step))
        while self._waiting:
            self._report_next()
        for remark in self._steps.remarks[self._remarks :]:
            self._remarks += 1
            self._say(f"not recorded: {remark}")

    def _report_next(self) -> None:
        step = self._waiting.popleft()
        self.reported = True
        self._trial.report(step=step.step, **step.metrics)

    def _say(self, text: str) -> None:
        if text:
            print(f"sweep: {text}", file=sys.stderr, flush=True)
