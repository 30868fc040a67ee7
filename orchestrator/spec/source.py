"""A sweep to be run, as values: the checked spec, where it came from, and the trainable if it is not named in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.spec import Spec
from orchestrator.spec.load_trainable import load
from trainables.contract import Declaration


@dataclass(frozen=True, kw_only=True)
class Source:
    """A checked spec, and where it came from."""

    spec: Spec
    text: bytes  # as the user wrote it
    base: Path  # the spec's directory: relative paths begin there
    declaration: Declaration | None
    function: Callable[..., Any] | None = None  # the trainable, if it was given from Python
    packed: bytes | None = None  # and as the workers get it
    command: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))

    def trainable(self) -> Callable[..., Any]:
        """The function or class that is trained."""
        return self.function or load(self.spec.trainable, self.base)

    @property
    def name(self) -> str:
        """The sweep's name: the spec's, else the trainable's, with what a directory's name cannot hold left out."""
        if self.spec.name is not None:
            return self.spec.name
        where, _, attribute = self.spec.trainable.partition(":")
        called = Path(where).stem if where.endswith(".py") else attribute.rpartition(".")[2] or where
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", called).strip("-._") or "sweep"
