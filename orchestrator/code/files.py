"""The files that a trainable consists of: its own module, and the local modules that it imports."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.code import by_value, syntax
from orchestrator.code.local_modules import Modules, is_local
from orchestrator.own_packages import ROOT
from trainables import BUILTIN
from trainables.command.executable import files_of, module_of
from trainables.command.program import Program

_OURS = [ROOT / "trainables" / name for name in ("builtin", "supervised", "data")]
"""What a built-in trainable trains with: the rest of `trainables` has no influence on its results."""


@dataclass(frozen=True, kw_only=True)
class CodeFile:
    """A file of the code, as it was read."""

    name: str  # its path from the spec's directory, with /
    path: Path | None  # None: not imported from a file of the user's (a script, a notebook, a part of this program)
    source: bytes
    fingerprint: str
    kept: bool = True  # whether a copy belongs to the sweep's records


def sources_by_path(files: Iterable[CodeFile]) -> dict[str, bytes]:
    """What is imported from files of the user's, as ``orchestrator.code.pinned.pin`` takes it."""
    return {str(file.path): file.source for file in files if file.path is not None}


def code_files(
    reference: str | Program, base: Path, function: Callable[..., Any] | None = None
) -> tuple[CodeFile, ...]:
    """The trainable's module and all local modules that it imports, directly or through others, sorted by name.

    Imports are followed wherever they are written: at the top, in functions, under ``if`` and ``try``, and as
    ``import_module("name")``. Nothing is executed. What cannot be found or read is left out.

    Args:
        reference: The value of `trainable:`, or the program of `command:`.
        base: The spec's directory, which is first on ``sys.path`` when the trainable is imported.
        function: The trainable, if it was given from Python.
    """
    if isinstance(reference, Program):
        return _of_program(reference, base)
    where = BUILTIN.get(reference, reference).partition(":")[0]
    if function is None and reference in BUILTIN:
        ours = Modules([str(ROOT)])
        found = _follow(ours.named(where)[-1:], ROOT, ours, lambda path: any(map(path.is_relative_to, _OURS)))
        return tuple(replace(file, path=None, kept=False) for file in found)
    modules = Modules([str(base), *sys.path])
    if function is None:
        first = [base / where] if where.endswith(".py") else modules.named(where)
        return _follow(first, base, modules)
    given = by_value.code_of(function)
    if given.by_value is None:
        return _follow(given.files, base, modules)
    read = syntax.read(given.by_value)
    importer = given.script or base / "notebook"
    used = [path for wanted in read.imports for path in modules.of(wanted, importer) if is_local(path)]
    itself = CodeFile(
        name=reference if given.script is None else _named(given.script, base)[0],
        path=None,
        source=given.by_value,
        fingerprint=read.fingerprint,
        kept=given.script is not None,
    )
    return (itself, *_follow([*given.files, *used], base, modules))


def _of_program(program: Program, base: Path) -> tuple[CodeFile, ...]:
    """The files that a command names, and the local modules that its scripts import.

    A script finds modules beside itself, and with `-m` in the directory in which it starts.
    """
    files = [base / name for name in files_of((*program.arguments, program.template), base)]
    modules = Modules([*(str(file.parent) for file in files if file.suffix == ".py"), str(base), *sys.path])
    named = module_of(program.arguments)
    return _follow([*files, *(modules.named(named) if named else ()), *_main(modules, named)], base, modules)


def _main(modules: Modules, package: str) -> list[Path]:
    """What `python -m package` runs beside the package itself."""
    return modules.named(f"{package}.__main__")[-1:] if package else []


def lookup_path(path: str | Path) -> Path:
    """A path by which a file is found whatever links lead to its directory, and whether or not it exists."""
    return Path(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _follow(
    first: Iterable[Path], base: Path, modules: Modules, local: Callable[[Path], bool] = is_local
) -> tuple[CodeFile, ...]:
    """The given files and the local ones that they import."""
    found: dict[Path, CodeFile] = {}
    seen, waiting = set(first), list(dict.fromkeys(first))
    while waiting:
        path = waiting.pop()
        at = lookup_path(path)
        if at in found:
            continue
        try:
            source = path.read_bytes()
        except OSError:
            continue
        read = syntax.read(source)
        name, leads_out = _named(path, base)  # nothing from elsewhere is copied because of a link
        found[at] = CodeFile(name=name, path=at, source=source, fingerprint=read.fingerprint, kept=not leads_out)
        for each in (each for wanted in read.imports for each in modules.of(wanted, path)):
            if each not in seen:
                seen.add(each)
                if local(each) and local(lookup_path(each)):
                    waiting.append(each)
    return tuple(sorted(found.values(), key=lambda file: file.name))


def _named(path: Path, base: Path) -> tuple[str, bool]:
    """The path of a file from ``base``, and whether it is a link there that leads elsewhere."""
    real, real_base = Path(os.path.realpath(path)), Path(os.path.realpath(base))
    if real.is_relative_to(real_base):
        return real.relative_to(real_base).as_posix(), False
    name = Path(os.path.relpath(path, base))
    return name.as_posix(), name.parts[0] != ".."
