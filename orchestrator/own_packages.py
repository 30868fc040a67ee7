"""Lets a user's project have folders called `cluster` or `trainables`, the names of two packages of ours.

Both sides write ``import cluster`` in one process. While the top level of one of our modules is executed, the name
means our package; at all other times it means the user's, if the project has such a folder. Our modules therefore
import these packages at the top only, which tests/test_own_packages.py checks. docs/decisions/0002-generic-names.md has
the alternatives.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from orchestrator import own_orchestrator

SHARED = ("cluster", "trainables")
ROOT = Path(__file__).resolve().parent.parent

_claimed: set[str] = set()  # the shared names that the user's project uses
_parked: dict[str, ModuleType] = {}  # modules of claimed names that are currently not in sys.modules
_depth = 0  # how many of our modules are currently being executed
_lock = threading.RLock()


def give_way(project: Path) -> None:
    """From now on, shared names that the user's project uses mean the user's modules."""
    if project.resolve() == ROOT:
        return
    own_orchestrator.give_way(project)
    for name in SHARED:
        if name not in _claimed and ((project / name).is_dir() or (project / f"{name}.py").is_file()):
            with _lock:
                _claimed.add(name)
                if _depth == 0:
                    _parked.update({key: sys.modules.pop(key) for key in list(sys.modules) if _top(key) == name})


@contextmanager
def ours() -> Iterator[None]:
    """Let the shared names mean our packages inside the with block."""
    global _depth
    with _lock:
        if _depth == 0:
            _swap()
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1
            if _depth == 0:
                _swap()


def _swap() -> None:
    in_force = {key: sys.modules.pop(key) for key in list(sys.modules) if _top(key) in _claimed}
    sys.modules.update(_parked)
    _parked.clear()
    _parked.update(in_force)


def _top(name: str) -> str:
    return name.partition(".")[0]


class _Finder(MetaPathFinder):
    """Finds our packages beside this file instead of on sys.path, and executes them inside ``ours``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = _top(fullname)
        if top not in SHARED and (top != own_orchestrator.NAME or own_orchestrator.is_theirs()):
            return None
        if top in _claimed and _depth == 0:
            return None
        spec = PathFinder.find_spec(fullname, path if "." in fullname else [str(ROOT)])
        if spec is not None and spec.loader is not None:
            spec.loader = _Ours(spec.loader)
        return spec


class _Ours(Loader):
    """Executes a module of ours while the shared names mean our packages."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with ours():
            self._loader.exec_module(module)

    def __getattr__(self, name: str) -> object:  # get_source and the like, for tracebacks and inspect
        return getattr(self._loader, name)


def _install() -> None:
    """Check what precedes us on sys.path: a script's folder is there before any trainable is loaded."""
    loaded = {_top(key) for key in sys.modules} & set(SHARED)
    for name in loaded:
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or not Path(file).resolve().is_relative_to(ROOT):
            _claimed.add(name)
    sys.meta_path.insert(0, _Finder())
    if (
        sys.path[:1] == [str(ROOT)] and str(ROOT) in sys.path[1:]
    ):  # for the import of us: cluster/ray_private/search_path.py
        del sys.path[0]
    for entry in sys.path:
        if Path(entry).resolve() == ROOT:
            break
        give_way(Path(entry))


_install()
