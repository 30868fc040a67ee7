"""Fingerprints of what a sweep's results depend on besides its spec: the trainable's code and the data.

A resume compares them, so that all trials of a sweep stay comparable. Code means the file that defines the trainable,
not the modules it imports; for those, sweep.json has the git commit and diff.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.spec import Spec
from trainables.contract import Declaration

HASHED_BYTES = 256 * 2**20
"""Larger files are identified by size and modification time."""


def fingerprints(
    spec: Spec, declaration: Declaration | None, trainable: Callable[..., Any], base: Path
) -> dict[str, str]:
    """The fingerprints of the trainable's code and of the data files under `fixed`, by readable names."""
    code = _source(trainable)
    found = {code_of(spec): code} if code is not None else {}
    for hyperparameter in declaration.hyperparameters if declaration is not None else ():
        value = spec.fixed.get(hyperparameter.name)
        if hyperparameter.type is Path and value is not None:
            found[f"{hyperparameter.name} {value}"] = _file(base / str(value))
    return found


def code_of(spec: Spec) -> str:
    """The name of the code's fingerprint; all other fingerprints are of data."""
    return f"code of {spec.trainable}"


def changed_fingerprints(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names whose fingerprints differ now."""
    return [name for name in before if now.get(name) != before[name]]


def _source(trainable: Callable[..., Any]) -> str | None:
    try:
        file = inspect.getsourcefile(trainable)
        return (
            _file(Path(file))
            if file is not None and Path(file).is_file()
            else _hash(inspect.getsource(trainable).encode())
        )
    except (OSError, TypeError):
        return None  # typed at a prompt, so there is no source


def _file(path: Path) -> str:
    try:
        status = path.stat()
        if status.st_size > HASHED_BYTES:
            return f"size {status.st_size}, changed {status.st_mtime_ns}"
        return _hash(path.read_bytes())
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _hash(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()}"
