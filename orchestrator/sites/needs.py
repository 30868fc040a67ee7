"""What the trials of a sweep occupy: the same, or different amounts where resources depend on the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cluster.fit import Need, lacking, slots
from cluster.inventory import Node
from cluster.packing import held_in_order, room_beside
from orchestrator.formatting import shown
from orchestrator.space.values import Config
from orchestrator.spec import Spec
from orchestrator.spec.trial_resources import Asked, TrialResources

_SLACK = 1e-9


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What trials occupy on some nodes."""

    usual: Need  # where nothing depends on the configuration
    drawn: tuple[tuple[Config, Need], ...]  # of drawn configurations, at least one; all trials occupy the like
    depends_on: Collection[str] = ()  # the hyperparameters on which that depends

    def of(self, asked: Asked, gpus: float | None = None) -> Need:
        """What a trial occupies.

        Args:
            asked: What it asks for.
            gpus: The GPUs that it was given, over all its ranks; None: as it asks for.
        """
        usual = self.usual
        share = asked.gpus if gpus is None else gpus / usual.ranks
        return replace(
            usual,
            cpus=usual.cpus if asked.cpus is None else asked.cpus,
            gpus=usual.gpus if share is None else share,
            memory=usual.memory if asked.memory is None else asked.memory,
        )

    @cached_property
    def kinds(self) -> tuple[Need, ...]:
        """The different ones among those drawn, the least first."""
        different = {_amounts(need): need for _, need in self.drawn}
        return tuple(different[amounts] for amounts in sorted(different))

    @property
    def vary(self) -> bool:
        """Whether trials occupy different amounts."""
        return len(self.kinds) > 1

    @property
    def gpus(self) -> float:
        """GPUs of a trial, over all its ranks; the mean if trials differ."""
        return sum(need.all_gpus for _, need in self.drawn) / len(self.drawn)

    def lacking(self, nodes: Sequence[Node]) -> str:
        """What the nearest node lacks for some trial, as a sentence; "" if each fits somewhere."""
        for need in self.kinds:
            if problem := lacking(nodes, need):
                config = next(config for config, each in self.drawn if _amounts(each) == _amounts(need))
                values = ", ".join(f"{name} = {shown(config[name])}" for name in self.depends_on if name in config)
                return f"{problem}, which a trial with {values} needs" if values else problem
        return ""

    def slots(self, nodes: Sequence[Node], max_gpus: float | None = None) -> int:
        """How many trials run at once, within a cap on the GPUs of all; if they differ, as many as typically do."""
        if not self.vary:
            return slots(nodes, self.kinds[0], max_gpus=max_gpus)
        return held_in_order(nodes, [need for _, need in self.drawn], max_gpus=max_gpus)

    def slots_beside(self, nodes: Sequence[Node], running: Iterable[Need], max_gpus: float | None = None) -> int:
        """How many trials may run at once, those that run or wait for room included.

        One that does not fit yet waits for room, and until then no further one starts: so the large ones get theirs.
        """
        groups = Counter(map(_amounts, running))
        live = sum(groups.values())
        needs = [
            (replace(self.usual, gpus=gpus, cpus=cpus, memory=memory), count)
            for (gpus, cpus, memory), count in groups.items()
        ]
        room = room_beside(nodes, needs, self.kinds[0])
        if max_gpus is not None and (most := self.kinds[-1].all_gpus):  # whatever the next one asks for
            used = sum(need.all_gpus * count for need, count in needs)
            room = min(room, int((max_gpus - used) / most + _SLACK))
        return live + max(0, room)


def needs_of(spec: Spec, found: Sequence[Node]) -> Needs:
    """What trials occupy; `gpu: auto` is one GPU if any node has one, and `packed` starts with the same."""
    asked = spec.resources
    gpus = float(any(node.gpus for node in found)) if isinstance(asked.gpu, str) else asked.gpu
    usual = Need(
        ranks=asked.workers,
        strict=asked.strict,
        cpus=1.0 if isinstance(asked.cpu, str) else asked.cpu,
        gpus=gpus,
        memory=0.0 if isinstance(asked.memory, str) else float(asked.memory or 0),
        custom=asked.custom,
        accelerator=asked.accelerator or "",
    )
    if not asked.formulas:
        return Needs(usual=usual, drawn=(({}, usual),))
    resources = TrialResources(spec, spec.parameter_space())
    bare = Needs(usual=usual, drawn=())
    return Needs(
        usual=usual,
        drawn=tuple((config, bare.of(each)) for config, each in resources.drawn()),
        depends_on=sorted(set().union(*(formula.names for formula in resources.formulas.values()))),
    )


def _amounts(need: Need) -> tuple[float, float, float]:
    return need.gpus, need.cpus, need.memory
