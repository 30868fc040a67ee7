"""The content of a checkpoint: a copy of a trial's state in plain types, and the state of its random generators.

A state without tensors is written as JSON, so that a trainable without torch needs no torch; other states are torch
files. Both restore exactly what was saved, and reading either runs no code from the file.
"""

from __future__ import annotations

import errno
import json
import sys
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from trainables.checkpoints import random_state
from trainables.checkpoints.saved_files import SavedFiles

FORMAT = 2  # of a checkpoint file

_PLAIN = (bool, int, float, str, type(None))
_ROOM = 65_536  # bytes of a file in addition to its tensors, a generous estimate


class DamagedCheckpoint(ValueError):
    """A file that is not a complete checkpoint."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A copy of a trial's state after a step, which further training does not change."""

    step: int
    state: dict[str, Any]
    random: dict[str, Any]  # as returned by trainables.checkpoints.random_state.capture()
    files: SavedFiles | None = None  # the copy of what trial.save(path=…) was given

    @property
    def suffix(self) -> str:
        """The suffix of the snapshot's file."""
        return ".json" if next(_tensors(self.state), None) is None else ".pt"

    @property
    def size(self) -> int:
        """An upper estimate of the bytes of the snapshot's file."""
        return _ROOM + sum(int(tensor.nbytes) for tensor in _tensors(self.state))

    def restored(self) -> dict[str, Any]:
        """The state by the names it was saved under, with "step", and with "path" if files were saved."""
        path = {} if self.files is None else {"path": self.files.path}
        return {**self.state, **path, "step": self.step}


def take(step: int, state: Mapping[str, Any], *, files: bool = False) -> Snapshot:
    """Copy the current state, with tensors on the CPU.

    Args:
        step: The last step that the state includes.
        state: By name, objects with a ``state_dict()`` or plain data: numbers, strings, None, tensors, and lists,
            tuples and dicts of these.
        files: Whether files are saved as well; then tensors are in the files, not in the state.

    Raises:
        TypeError: A value is none of these; the message names it.
    """
    copied = {key: _copy(value, key) for key, value in state.items()}
    if files and (with_tensors := next((key for key in copied if next(_tensors(copied[key]), None) is not None), None)):
        raise TypeError(
            f"trial.save(path=…, {with_tensors}=…): tensors are saved in the path, or without one; beside it, numbers,"
            " strings, and lists, tuples and dicts of them"
        )
    return Snapshot(step=step, state=copied, random=random_state.capture())


def _copy(value: Any, where: str) -> Any:
    if type(value) in _PLAIN:
        return value
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return _copy_dict(value, where)
    if isinstance(value, list | tuple):
        items = [each if type(each) in _PLAIN else _copy(each, f"{where}[{i}]") for i, each in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if hasattr(value, "state_dict"):
        return _copy(value.state_dict(), where)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.bool_ | numpy.number):
        return value.item()
    is_array = numpy is not None and isinstance(value, numpy.ndarray)
    raise TypeError(
        f"trial.save({where}=…): {type(value).__module__}.{type(value).__qualname__} cannot be saved; "
        + (
            "torch.from_numpy(array) can"
            if is_array
            else "objects with a state_dict() can, and numbers, strings, tensors, and lists, tuples and dicts of these"
        )
    )


def _copy_dict(value: dict[Any, Any], where: str) -> dict[Any, Any]:
    copied = {_copy(key, f"{where}, a key"): _copy(each, f"{where}[{key!r}]") for key, each in value.items()}
    if type(value) is OrderedDict:  # a module's state, with the versions of its layers as an attribute
        ordered = OrderedDict(copied)
        vars(ordered).update(vars(value))
        return ordered
    return Counter(copied) if type(value) is Counter else copied  # torch's MultiStepLR needs its Counter


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        if type(value) not in _PLAIN:
            yield value
        return
    for each in value:
        yield from _tensors(each)


def write(file: BinaryIO, snapshot: Snapshot, best: float) -> None:
    """Write a checkpoint.

    Args:
        file: An open binary file.
        snapshot: The snapshot to write.
        best: The lowest loss of the trial so far; see :meth:`trainables.checkpoints.saving.Checkpoints.report`.
    """
    content = {
        "format": FORMAT,
        "step": snapshot.step,
        "best": best,
        "state": snapshot.state,
        "random": snapshot.random,
        **({} if snapshot.files is None else {"files": snapshot.files.record()}),
    }
    if snapshot.suffix == ".json":
        file.write(json.dumps(_tagged(content)).encode())
    else:
        import torch

        torch.save(content, file)


def read(path: Path) -> tuple[Snapshot, float]:
    """The snapshot in a file, and the trial's lowest loss by then. Only tensors and plain types are unpickled.

    Raises:
        DamagedCheckpoint: The file is incomplete, or not a checkpoint, or files that it speaks of are incomplete.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        try:
            if path.suffix == ".json":
                content = json.loads(file.read(), object_hook=_untagged)
            else:
                import torch

                content = torch.load(file, map_location="cpu", weights_only=True)
            if content["format"] != FORMAT:
                raise DamagedCheckpoint(f"format {content['format']}; this version reads format {FORMAT}")
            files = SavedFiles.recorded(content["files"], path.parent) if "files" in content else None
            found = Snapshot(
                step=content["step"], state=dict(content["state"]), random=dict(content["random"]), files=files
            )
            return found, float(content["best"])
        except MemoryError:
            raise
        except Exception as error:  # a foreign file can fail in any way
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: torch seeks beyond the end
                raise
            raise DamagedCheckpoint(str(error).partition("\n")[0] or type(error).__name__) from error


def place_of(path: Path) -> str | None:
    """The place of the files that a checkpoint file speaks of; None if it speaks of none, or is no checkpoint.

    Raises:
        OSError: The file cannot be read.
    """
    if path.suffix != ".json":  # a checkpoint with files has no tensors
        return None
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(path.read_bytes())["files"]["place"])
    return None


def _tagged(value: Any) -> Any:
    """Convert to JSON's types: a tuple becomes {"tuple": …}, a dict with keys that are not text {"items": …}."""
    if isinstance(value, dict):
        if all(type(key) is str for key in value) and not value.keys() <= {"tuple", "items"}:
            return {key: _tagged(each) for key, each in value.items()}
        return {"items": [[_tagged(key), _tagged(each)] for key, each in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_tagged(each) for each in value]}
    return [_tagged(each) for each in value] if isinstance(value, list) else value


def _untagged(value: dict[str, Any]) -> Any:
    if value.keys() == {"tuple"}:
        return tuple(value["tuple"])
    return dict(value["items"]) if value.keys() == {"items"} else value
