"""Makes this process import one version of the user's files, whatever becomes of them on the disk.

A file that is still what it was is imported as always, from its cached bytecode. One that was edited or removed is
imported from the source that this process was given. Its module keeps its ``__file__``, so data beside it is found, and
tracebacks show the lines that run.
"""

from __future__ import annotations

import importlib.util
import linecache
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from orchestrator.code.files import lookup_path
from orchestrator.code.syntax import same


def pin(sources: Mapping[str, bytes]) -> None:
    """Let imports of these files, from now on, give these sources; also imports inside functions, at any time.

    Args:
        sources: Python sources by the path of their file, as of :func:`lookup_path`. They replace those of an earlier
            call.
    """
    _FINDER.pin(sources)
    if _FINDER not in sys.meta_path:
        places = [at for at, finder in enumerate(sys.meta_path) if finder is PathFinder]
        sys.meta_path.insert(min(places, default=len(sys.meta_path)), _FINDER)


def spec_of(name: str, path: Path) -> ModuleSpec | None:
    """How to import a file as the module ``name``; None if the file is not pinned."""
    return _FINDER.spec_of(name, str(path))


class _Finder(MetaPathFinder):
    """Comes before the finder that looks through ``sys.path``."""

    def __init__(self) -> None:
        self._sources: dict[Path, bytes] = {}
        self._names: set[str] = set()  # last components of the modules, so that other imports cost nothing

    def pin(self, sources: Mapping[str, bytes]) -> None:
        self._sources = {Path(path): source for path, source in sources.items()}
        self._names = {path.parent.name if path.stem == "__init__" else path.stem for path in self._sources}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = fullname.rpartition(".")[2]
        if name not in self._names:
            return None
        for directory in sys.path if path is None else path:
            for file in (os.path.join(directory, name, "__init__.py"), os.path.join(directory, f"{name}.py")):
                spec = self.spec_of(fullname, os.path.abspath(file))
                if spec is not None:
                    return spec
        return None

    def spec_of(self, fullname: str, file: str) -> ModuleSpec | None:
        source = self._sources.get(lookup_path(file))
        if source is None:
            return None
        loader = SourceFileLoader(fullname, file) if _is_as(file, source) else _Given(fullname, file, source)
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


class _Given(SourceFileLoader):
    """Loads a module from a given source, in place of what is in its file. Neither reads nor writes bytecode."""

    def __init__(self, fullname: str, path: str, source: bytes) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        lines = importlib.util.decode_source(self._source).splitlines(keepends=True)
        linecache.cache[self.path] = (len(self._source), None, lines, self.path)  # None: never looked up on the disk
        return self.source_to_code(self._source, self.path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._source if path == self.path else super().get_data(str(path))


def _is_as(file: str, source: bytes) -> bool:
    """Whether the file on the disk means what the source means."""
    try:
        return same(Path(file).read_bytes(), source)
    except OSError:
        return False


_FINDER = _Finder()
