"""Does something to a library that may not be imported yet: at once, or the moment a trial is the first to import it.

Without this a function that imports torch inside would train in a fresh process under other conditions than in one that
has trained before, and a trial's result would depend on which process it came to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def do(library: str, what: str, act: Callable[[], object]) -> None:
    """Do it now if the library is there, else when it is imported.

    Args:
        library: A top-level module.
        what: Names what is done. What was to be done to the library under this name before, is not.
        act: Does it.
    """
    if library in sys.modules:
        act()
    _FINDER.waiting.setdefault(library, {})[what] = act
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Acting(Loader):
    """Loads a library, and does what waits for it."""

    def __init__(self, loader: Loader, act: Callable[[], object]) -> None:
        self._loader = loader
        self._act = act

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._act()

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)


class _Finder(MetaPathFinder):
    """Stands before the other finders, and passes on what they find."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Callable[[], object]]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.waiting:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((found for finder in others if (found := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Acting(spec.loader, lambda: [act() for act in self.waiting[fullname].values()])
        return spec


_FINDER = _Finder()
