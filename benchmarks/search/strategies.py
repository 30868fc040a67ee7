"""What is compared: settings of a spec, or a peer's search and scheduler in place of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.search.peers.kde import Kde
from benchmarks.search.peers.optuna_pruned import OptunaPruned, PrunerName
from benchmarks.search.peers.ray_asha import RayAsha
from orchestrator.core.build import build_sweep
from orchestrator.core.schedulers import Scheduler
from orchestrator.core.search import Search
from orchestrator.core.sweep import Sweep
from orchestrator.spec import Spec, max_step
from orchestrator.yaml.reader import from_yaml
from trainables.declaration import Declaration

Peer = Callable[[Spec, int], tuple[Search | None, Scheduler | None]]
"""Makes a peer's search and scheduler from a spec and the length of a training; None: as the spec says."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One way to search."""

    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the spec
    peer: Peer | None = None
    saves: bool = True  # False: trials cannot pause, as if nothing saved its state

    def build(self, spec: Spec, declaration: Declaration | None) -> Sweep:
        """The sweep."""
        last = max_step(spec, declaration)
        assert last is not None
        search, scheduler = (None, None) if self.peer is None else self.peer(spec, last)
        return build_sweep(spec, declaration, search=search, scheduler=scheduler)


def _ray(grace_period: int, reduction_factor: int, spec: Spec, last: int) -> tuple[None, Scheduler]:
    asha = RayAsha(
        mode=spec.objective.mode, max_step=last, grace_period=grace_period, reduction_factor=reduction_factor
    )
    return None, asha


def _kde_ray(spec: Spec, last: int) -> tuple[Search, Scheduler]:
    return Kde(spec.parameter_space(), spec.search.seed, spec.objective.mode), _ray(2, 3, spec, last)[1]


def _optuna(pruner: PrunerName, spec: Spec, last: int) -> tuple[Search, Scheduler]:
    study = OptunaPruned(
        space=spec.parameter_space(), mode=spec.objective.mode, max_step=last, seed=spec.search.seed, pruner=pruner
    )
    return study, study


def _ours(search: str, scheduler: str) -> Strategy:
    return Strategy(sections={"search": {"method": search}, "scheduler": {"method": scheduler}})


RANDOM = {"search": {"method": "random"}}

STRATEGIES: Mapping[str, Strategy] = {
    "auto": Strategy(),
    "auto:stop": Strategy(saves=False),
    "random": _ours("random", "none"),
    "ray:1:4": Strategy(sections=RANDOM, peer=partial(_ray, 1, 4)),
    "ray:2:3": Strategy(sections=RANDOM, peer=partial(_ray, 2, 3)),
    "optuna": Strategy(sections=RANDOM, peer=partial(_optuna, "halving")),
    "optuna:hyperband": Strategy(sections=RANDOM, peer=partial(_optuna, "hyperband")),
    "kde+ray:2:3": Strategy(sections=RANDOM, peer=_kde_ray),
    "random+asha": _ours("random", "asha"),
    "tpe+asha": _ours("tpe", "asha"),
}
"""By the names of the tables. ``auto`` is what a spec without search and scheduler does, ``auto:stop`` the same where
nothing saves."""

PEERS = ("random", "ray:1:4", "ray:2:3", "optuna", "kde+ray:2:3")


def strategy_named(name: str) -> Strategy:
    """The strategy of a name: one of ours, or ``label={search: {...}, scheduler: {...}}`` for any other settings."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    _, given, sections = name.partition("=")
    if not given:
        raise SystemExit(f"unknown strategy {name!r}; there are {', '.join(STRATEGIES)}, and label={{search: …}}")
    document = from_yaml(sections, "--strategies", option=True)
    document.raise_mistakes()
    return Strategy(sections=document.data)
