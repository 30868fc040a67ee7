"""Hyperparameter sweeps on Ray Tune, recorded in Parquet: ``run`` a spec, ``load`` a recorded sweep, or
``simulate_sweep`` on learning curves that are known.

Here are the public names. The modules directly in this folder are those that every room uses; all else has a room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator import own_packages as _own_packages  # noqa: F401  first, because it decides what `import trainables` means from here on

if TYPE_CHECKING:
    from orchestrator.api.confirm import confirm
    from orchestrator.api.loaded import Sweep, load
    from orchestrator.api.run import run
    from orchestrator.api.simulated import simulate_sweep
    from trainables.declaration import Hyperparameter, declare
    from trainables.trial import Trial

__all__ = ["Hyperparameter", "Sweep", "Trial", "confirm", "declare", "load", "run", "simulate_sweep"]

_HOMES = {
    "confirm": "orchestrator.api.confirm",
    "run": "orchestrator.api.run",
    "load": "orchestrator.api.loaded",
    "simulate_sweep": "orchestrator.api.simulated",
    "Sweep": "orchestrator.api.loaded",
    "Hyperparameter": "orchestrator.contract",
    "Trial": "orchestrator.contract",
    "declare": "orchestrator.contract",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that `sweep --help` is fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'orchestrator' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
