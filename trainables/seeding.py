"""Seeds every generator a trial may draw from, also one whose library the trial is the first to import.

Without the latter a function that imports torch inside would train from another state in a fresh process than in one
that has trained before, and a trial's result would depend on which process it came to.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_SEEDERS: dict[str, Callable[[int], object]] = {
    "numpy": lambda seed: sys.modules["numpy"].random.seed(seed),
    "torch": lambda seed: sys.modules["torch"].manual_seed(seed),
}


def seed_all(seed: int) -> None:
    """Seed random, and numpy's and torch's global generators (all devices), now or when they are imported.

    Args:
        seed: In [0, 2**32).
    """
    random.seed(seed)
    for library, seeder in _SEEDERS.items():
        if library in sys.modules:
            seeder(seed)
    _FINDER.seed = seed
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Seeding(Loader):
    """Loads a library, and seeds it."""

    def __init__(self, loader: Loader, seed: Callable[[], object]) -> None:
        self._loader = loader
        self._seed = seed

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._seed()

    def __getattr__(self, name: str) -> object:
        return getattr(self._loader, name)


class _SeedOnImport(MetaPathFinder):
    """Stands before the other finders, and passes on what they find."""

    seed = 0

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _SEEDERS:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((found for finder in others if (found := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Seeding(spec.loader, lambda: _SEEDERS[fullname](self.seed))
        return spec


_FINDER = _SeedOnImport()
