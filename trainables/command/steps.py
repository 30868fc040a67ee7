"""Decides to which step a program's records belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainables.command.metrics.record import Record
from trainables.report import STEPS, wrong_metric_name

STEP_KEYS = ("step", "epoch", "iteration", "global_step")
"""The numbers that count the steps unless the user says which one does, in this order."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Metrics of a step; further ones of the same step may follow."""

    step: int
    metrics: Record


class Steps:
    """The steps of one run of a program.

    The first record that has a number which counts the steps decides which one that is; a record without it belongs to
    the step before. Where there is no such number, each record with the objective is a step of its own, and what came
    since the last one belongs to it.

    Attributes:
        key: The number that counts the steps; "" as long as none does.
        remarks: What was left out and why, each kind once.
    """

    def __init__(self, *, objective: str, key: str = "", after: int = 0) -> None:
        """Begin.

        Args:
            objective: The metric whose records are counted where no number counts the steps.
            key: The number that counts the steps; "": the first of ``STEP_KEYS`` in the first record that has one.
            after: The step after which records are counted.
        """
        self.key = key
        self.remarks: list[str] = []
        self._objective = objective
        self._counts = False  # records, for want of a number
        self._step: int | None = None
        self._counted = after
        self._at_step: dict[str, float] = {}
        self._waiting: dict[str, float] = {}  # metrics whose step is still to come
        self._kinds: set[str] = set()  # of remarks

    def take(self, record: Record) -> Iterator[Step]:
        """What is to be reported of a record."""
        if not self.key and not self._counts:
            self.key = next((key for key in STEP_KEYS if _whole(record.get(key)) is not None), "")
            self._counts = not self.key and self._objective in record
        metrics = {name: value for name, value in record.items() if name != self.key}
        if self.key in record and not self._moves(record[self.key]):
            return
        if self._counts and self._objective in record:
            self._counted += 1
            self._begin(self._counted)
        elif self._counts or self._step is None:
            self._waiting |= metrics
            return
        yield from self._new(metrics)

    def end(self) -> Iterator[Step]:
        """What is left when the program has ended: metrics after the last step, which are added to it."""
        if self._step is not None:
            yield from self._new({})

    def _moves(self, value: float) -> bool:
        """Go to the step of a record; False if it cannot be recorded."""
        step = _whole(value)
        if step is None or step not in STEPS:
            return self._leave_out("step", f"{self.key} {value:g} is not a step: a whole number, 0 or above")
        if self._step is not None and step < self._step:
            return self._leave_out("back", f"{self.key} {step} came after {self._step}, and steps only grow")
        if step != self._step:
            self._begin(step)
        return True

    def _begin(self, step: int) -> None:
        self._step, self._at_step = step, {}

    def _new(self, metrics: Record) -> Iterator[Step]:
        """The metrics, and those that waited, without those that the step has by now or the records cannot have."""
        assert self._step is not None
        new: dict[str, float] = {}
        for name, value in {**self._waiting, **metrics}.items():
            if problem := wrong_metric_name(name):
                self._leave_out(name, problem)
            elif name not in self._at_step:
                new[name] = value
            elif str(self._at_step[name]) != str(value):
                self._leave_out(f"again {name}", f"{name} came twice for step {self._step}; the first counts")
        self._waiting = {}
        self._at_step |= new
        if new:
            yield Step(step=self._step, metrics=new)

    def _leave_out(self, kind: str, why: str) -> bool:
        if kind not in self._kinds:
            self._kinds.add(kind)
            self.remarks.append(why)
        return False


def _whole(value: Any) -> int | None:
    """A number as an int if it is whole; None if it is not, or no number."""
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return None
