"""Configures a library that may not be imported yet: now, or as soon as a trial imports it.

Otherwise a function that imports torch inside would train under different conditions in a fresh process than in a used
one, and a trial's result would depend on its process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def do(library: str, what: str, act: Callable[[], object]) -> None:
    """Run an action now if the library is imported, and whenever it is imported later.

    Args:
        library: A top-level module.
        what: The name of the action. An earlier action of the same name for this library is replaced.
        act: The action.
    """
    if library in sys.modules:
        act()
    _FINDER.waiting.setdefault(library, {})[what] = act
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Acting(Loader):
    """Loads a library, then runs the actions that wait for it."""

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
    """Comes before the other finders, and wraps what they find."""

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
