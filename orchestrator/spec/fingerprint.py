"""Fingerprints of what a sweep's results depend on besides its spec: the trainable's code and the data.

A resume compares them, so that all trials of a sweep stay comparable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.code.files import CodeFile
from orchestrator.code.syntax import CODE
from orchestrator.spec import Spec
from trainables.data.identity import identity
from trainables.declaration import Declaration


def fingerprints(code: Iterable[CodeFile], spec: Spec, declaration: Declaration | None, base: Path) -> dict[str, str]:
    """The fingerprints of the code's files, by their names, and of the data."""
    return {file.name: file.fingerprint for file in code} | data_fingerprints(spec, declaration, base)


def data_fingerprints(spec: Spec, declaration: Declaration | None, base: Path) -> dict[str, str]:
    """The fingerprints of the data under `fixed`, by the names of the hyperparameters and the paths."""
    found = {}
    for hyperparameter in declaration.hyperparameters if declaration is not None else ():
        value = spec.fixed.get(hyperparameter.name)
        if hyperparameter.type is Path and value is not None:
            found[f"{hyperparameter.name} {value}"] = _identity(base / str(value))
    return found


def changed_fingerprints(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names whose fingerprints differ now."""
    return [name for name in before if now.get(name) != before[name]]


def code_fingerprints(fingerprints: Mapping[str, str]) -> list[str]:
    """The fingerprints of code among recorded ones, whatever their files are called."""
    return sorted(each for each in fingerprints.values() if each.startswith(CODE))


def fingerprinted_files(fingerprints: Mapping[str, str], *, code: bool = True) -> list[str]:
    """The files that recorded fingerprints are of, as the sweep named them: data, and code unless that is left out."""
    data = [name.partition(" ")[2] for name, each in fingerprints.items() if not each.startswith(CODE)]
    return [*(name for name, each in fingerprints.items() if code and each.startswith(CODE)), *data]


def _identity(path: Path) -> str:
    try:
        return identity(path)
    except OSError as error:
        return f"unreadable: {error.strerror}"
