"""The code that a sweep trained, from its copy beside the records where the project's own has changed since."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from orchestrator.code import syntax
from orchestrator.code.files import CodeFile, code_files, lookup_path
from orchestrator.code.syntax import CODE
from orchestrator.records.code_copy import read_code
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import changed_fingerprints


@dataclass(frozen=True, kw_only=True)
class RecordedCode:
    """The code of a sweep's last session."""

    files: tuple[CodeFile, ...]  # as the sweep trained them; without those that are lost
    changed: tuple[str, ...]  # names of files that mean something else now, or are gone
    lost: tuple[str, ...]  # those of them of which the records have no copy
    diff: str  # from the copies to the files of the project, as a unified diff


def recorded_code(
    paths: SweepPaths, info: SweepInfo, base: Path, train: Callable[..., Any] | None = None
) -> RecordedCode:
    """The code of a recorded sweep.

    Args:
        paths: The sweep's files.
        info: The content of its sweep.json.
        base: The spec's directory.
        train: The trainable, if it was given from Python: then it has imported its code, and a copy comes too late. A
            program reads its code itself, so no copy can be trained either.

    Raises:
        RecordsError: The copy cannot be read.
    """
    recorded = {name: each for name, each in info.fingerprints.items() if each.startswith(CODE)}
    trained = parse_spec(info.spec, base=base).trained
    project = {file.name: file for file in code_files(trained, base, train)}
    changed = changed_fingerprints(recorded, {name: file.fingerprint for name, file in project.items()})
    copies = read_code(paths.code) if changed and train is None and isinstance(trained, str) else {}
    kept = {name: copies[name] for name in changed if _is(copies.get(name), recorded[name])}
    files = {name: project[name] for name in recorded if name not in changed} | {
        name: CodeFile(name=name, path=lookup_path(base / name), source=source, fingerprint=recorded[name])
        for name, source in kept.items()
    }
    return RecordedCode(
        files=tuple(files[name] for name in sorted(files)),
        changed=tuple(changed),
        lost=tuple(name for name in changed if name not in kept),
        diff="".join(_diff(name, source, base) for name, source in kept.items()),
    )


def _is(source: bytes | None, fingerprint: str) -> bool:
    return source is not None and syntax.read(source).fingerprint == fingerprint


def _diff(name: str, before: bytes, base: Path) -> str:
    try:
        now = (base / name).read_bytes()
    except OSError:
        return f"--- recorded/{name}\n+++ gone\n"
    lines = difflib.unified_diff(_lines(before), _lines(now), f"recorded/{name}", f"project/{name}", n=2, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _lines(source: bytes) -> list[str]:
    try:
        return decode_source(source).splitlines()
    except (SyntaxError, UnicodeDecodeError):
        return source.decode("utf-8", "replace").splitlines()
