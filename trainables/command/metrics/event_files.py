"""Records from TensorBoard event files: the scalars of a step are a record, with the step under ``step``."""

from __future__ import annotations

import glob
import os
import struct
from collections.abc import Iterator
from typing import Any

from trainables.command.metrics.record import Record

_LENGTH = struct.Struct("<Q")
_CHECKSUM = 4  # bytes, after the length and after the event


class EventFiles:
    """The event files in a directory and below.

    Writers flush at different times, and those of training and validation may have a file each. So a step is given once
    its objective has come, after the steps before it.
    """

    def __init__(self, path: str, objective: str) -> None:
        self._path = path
        self._objective = objective
        self._positions: dict[str, int] = {}
        self._waiting: dict[int, dict[str, float]] = {}

    def read(self, *, last: bool = False) -> Iterator[Record]:
        """The records that are complete by now; with ``last`` all others as well."""
        for file in sorted(glob.glob(f"{self._path}/**/*tfevents*", recursive=True)):
            for step, name, value in self._scalars(file):
                self._waiting.setdefault(step, {})[name] = value
        judged = max((step for step, scalars in self._waiting.items() if self._objective in scalars), default=-1)
        for step in sorted(step for step in self._waiting if last or step <= judged):
            yield {**self._waiting.pop(step), "step": step}

    def _scalars(self, path: str) -> Iterator[tuple[int, str, float]]:
        """The step, name and value of each scalar that a file has got since."""
        from google.protobuf.message import DecodeError
        from tensorboardX.proto.event_pb2 import Event

        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            position = self._positions.get(path, 0)
            while True:
                file.seek(position)
                header = file.read(_LENGTH.size)
                if len(header) < _LENGTH.size:
                    break
                (length,) = _LENGTH.unpack(header)
                end = position + _LENGTH.size + _CHECKSUM + length + _CHECKSUM
                if end > size:
                    break
                file.seek(_CHECKSUM, os.SEEK_CUR)
                try:
                    event = Event.FromString(file.read(length))
                except DecodeError:
                    event = Event()
                self._positions[path] = position = end
                for value in event.summary.value:
                    number = _number(value)
                    if number is not None:
                        yield event.step, value.tag, number


def _number(value: Any) -> float | None:
    """The number of a value of a summary; None if it is an image, a text, a histogram."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    tensor = value.tensor
    if value.HasField("tensor") and not any(each.size != 1 for each in tensor.tensor_shape.dim):
        for numbers in (tensor.float_val, tensor.double_val, tensor.int_val, tensor.int64_val):
            if len(numbers) == 1:
                return float(numbers[0])
        form = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}.get(tensor.dtype)  # DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64
        if form is not None and len(tensor.tensor_content) == struct.calcsize(form):
            return float(struct.unpack(form, tensor.tensor_content)[0])
    return None
