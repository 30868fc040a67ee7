"""Finds the files behind imports where an import statement would find them, and executes nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.code.syntax import Import
from orchestrator.own_packages import ROOT, SHARED

_INSTALLED = {"site-packages", "dist-packages"}
_OURS = tuple(str(ROOT / name) + os.sep for name in ("orchestrator", *SHARED))
_STANDARD = os.path.dirname(os.__file__) + os.sep


def is_local(path: Path) -> bool:
    """Whether a file belongs to a user's project: not to Python, an installed package, or us."""
    return not str(path).startswith((*_OURS, _STANDARD)) and _INSTALLED.isdisjoint(path.parts)


class Modules:
    """The modules that can be imported, and the files that importing them executes."""

    def __init__(self, path: Sequence[str]) -> None:
        """Search the directories of ``path`` in their order, as of ``sys.path``."""
        self._path = [Path(os.path.abspath(entry)) for entry in dict.fromkeys(path)]
        self._known: dict[Path, frozenset[str]] = {}

    def of(self, wanted: Import, importer: Path) -> Iterator[Path]:
        """The files that an import executes, those of the packages around a module included.

        Args:
            wanted: The import.
            importer: The file in which it is written.
        """
        parts = wanted.module.split(".") if wanted.module else []
        if wanted.level:
            start = [importer.parents[min(wanted.level, len(importer.parents)) - 1]]
            if not parts and "__init__.py" in self._names(start[0]):
                yield start[0] / "__init__.py"
        else:
            start = self._path
        files, within = self._descend(start, parts)
        if not files and not within and not wanted.level and parts[0] not in sys.stdlib_module_names:
            files = _imported(parts[0])
        yield from files
        for name in wanted.names:
            yield from self._descend(within, [name])[0]
        if wanted.all:
            for directory in within:
                for name in sorted(self._names(directory)):
                    yield from self._descend([directory], [name.removesuffix(".py")])[0]

    def named(self, module: str) -> list[Path]:
        """The files that importing a module executes; the last one is its own. Empty if it is not found."""
        return self._descend(self._path, module.split("."))[0]

    def _descend(self, directories: Sequence[Path], parts: Sequence[str]) -> tuple[list[Path], Sequence[Path]]:
        """The files executed on the way, and the directories in which the submodules of the last part are."""
        files = []
        for part in parts:
            namespace = []
            for directory in directories:
                names, inner = self._names(directory), directory / part
                if part in names and "__init__.py" in self._names(inner):
                    files.append(inner / "__init__.py")
                    directories = [inner]
                    break
                if f"{part}.py" in names:
                    files.append(directory / f"{part}.py")
                    directories = []
                    break
                if part in names and inner.is_dir():
                    namespace.append(inner)
            else:
                directories = namespace
        return files, directories

    def _names(self, directory: Path) -> frozenset[str]:
        """The names in a directory; none if it cannot be read."""
        if directory not in self._known:
            try:
                self._known[directory] = frozenset(os.listdir(directory))
            except OSError:
                self._known[directory] = frozenset()
        return self._known[directory]


def _imported(top: str) -> list[Path]:
    """The files of a package that this process has imported from elsewhere, as from an editable installation."""
    files = (getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if _within(name, top))
    return [Path(file) for file in files if isinstance(file, str) and file.endswith(".py")]


def _within(name: str, top: str) -> bool:
    return name == top or name.startswith(f"{top}.")
