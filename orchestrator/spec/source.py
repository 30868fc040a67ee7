"""A checked spec ready to run, with its file, its directory, and the trainable if that was given from Python."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.code.files import CodeFile, code_files
from orchestrator.spec import Spec
from orchestrator.spec.load_trainable import load
from trainables.command.executable import script_of
from trainables.command.program import Program
from trainables.declaration import Declaration

_LONGEST = 100
"""Characters of a sweep's name, as for `name` in the spec."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A checked spec ready to run, and where it came from."""

    spec: Spec
    text: bytes  # as the user wrote it
    base: Path  # the spec's directory, from which relative paths start
    declaration: Declaration | None
    function: Callable[..., Any] | None = None  # the trainable, if it was given from Python
    packed: bytes | None = None  # the function, pickled for the workers
    command: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))
    file: Path | None = None  # the spec's file; None: the spec was made by a program
    overrides: Sequence[str] = ()  # the changes that were made to the file's text, as for `--set`
    recorded_code: tuple[CodeFile, ...] | None = None  # trained in place of the code on the disk

    def trainable(self) -> Callable[..., Any]:
        """The function or class that is trained."""
        return self.function or load(self.spec.trained, self.base)

    @cached_property
    def code(self) -> tuple[CodeFile, ...]:
        """The files of the trainable's code, as they were when this was first asked for."""
        if self.recorded_code is not None:
            return self.recorded_code
        return code_files(self.spec.trained, self.base, self.function)

    @property
    def name(self) -> str:
        """The sweep's name: the spec's, else that of the spec's file, else the trainable's. Characters that a directory
        cannot have are replaced."""
        if self.spec.name is not None:
            return self.spec.name
        called = self.file.stem if self.file else _name_of(self.spec.trained, of_file=self.function is None)
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", called).strip("-._")[:_LONGEST] or "sweep"


def _name_of(trained: str | Program, *, of_file: bool) -> str:
    if isinstance(trained, Program):
        return Path(script_of(trained.arguments) or trained.arguments[0]).stem
    where, _, attribute = trained.partition(":")
    return Path(where).stem if of_file and where.endswith(".py") else attribute.rpartition(".")[2] or where
