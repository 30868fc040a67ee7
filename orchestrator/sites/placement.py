"""What one trial of a spec occupies, and how many fit at once: the spec's resources against the engine's nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from cluster.engine import Embedded, Engine, Joined
from cluster.errors import ClusterError
from cluster.fit import Need, lacking, slots
from cluster.inventory import Node
from cluster.where import Existing, Local, Where
from orchestrator.errors import InfeasibleError, UserError
from orchestrator.sites.profiles import site
from orchestrator.spec import Spec


def place(text: str) -> Where:
    """What ``--on`` means.

    Raises:
        UserError: It means nothing, or the site profiles have mistakes.
    """
    return site(text).where


def engine_at(on: str, *, cpus: int | None = None, gpus: int | None = None) -> Engine:
    """The engine for a sweep that is run by this process.

    Args:
        on: As behind ``--on``.
        cpus: What Ray may use of this machine; None: all. Only with local.
        gpus: Likewise.

    Raises:
        UserError: There is no such engine, or it has its own CPUs and GPUs.
    """
    named = site(on)
    found = named.where
    if isinstance(found, Local):
        return Embedded(cpus=cpus, gpus=gpus)
    if cpus is not None or gpus is not None:
        raise UserError(f"--cpus and --gpus are for --on local: what {on} has, its nodes say; see --max-gpus")
    if isinstance(found, Existing):
        return Joined(address=found.address, runtime_env=named.profile.runtime_env())
    raise UserError(f"this cannot be done on {on}, only where this process can be a driver: local, auto or host:port")


@contextmanager
def reached(engine: Engine) -> Iterator[None]:
    """Have the engine reached while this is open.

    Raises:
        UserError: It cannot be, and why.
    """
    try:
        with engine.reached():
            yield
    except ClusterError as error:
        raise UserError(str(error)) from error


def sharing(spec: Spec, found: Sequence[Node], gpus: float, surplus: int) -> int:
    """How many trials run at once if those that start now have this share of a GPU.

    Args:
        spec: What else a trial occupies.
        found: The nodes.
        gpus: Of a trial.
        surplus: How many slots the trials that run take beyond one each, because they have larger shares.
    """
    need, cap = replace(need_of(spec, found), gpus=gpus), spec.resources.max_gpus
    together = slots(found, need, max_gpus=cap)
    if not surplus:
        return together
    return min(together, slots(found, replace(need, cpus=0.0, memory=0.0, custom={}), max_gpus=cap) - surplus)


def need_of(spec: Spec, found: Sequence[Node]) -> Need:
    """What one trial occupies; `gpu: auto` is one GPU if any node has one, and `packed` begins so."""
    asked = spec.resources
    gpus = float(any(node.gpus for node in found)) if isinstance(asked.gpu, str) else float(asked.gpu)
    return Need(
        cpus=asked.cpu,
        gpus=gpus,
        memory=float(asked.memory or 0),
        custom=asked.custom,
        accelerator=asked.accelerator or "",
    )


def free_slots(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials run at once, by the spec.

    Raises:
        InfeasibleError: Not even one fits.
    """
    return min(capacity(spec, found), spec.resources.concurrency or sys.maxsize)


def capacity(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials fit at once, within `resources.max_gpus`.

    Raises:
        InfeasibleError: Not even one does.
    """
    need, cap = need_of(spec, found), spec.resources.max_gpus
    problem = lacking(found, need)
    if problem:
        ours = all(not node.id for node in found)
        raise InfeasibleError(
            f"{problem} (resources in the spec{'; --cpus and --gpus say what the machine has' if ours else ''})"
        )
    if cap is not None and need.gpus > cap:
        raise InfeasibleError(f"one trial takes {need.gpus:g} GPUs, and resources.max_gpus allows all of them {cap:g}")
    return slots(found, need, max_gpus=cap)
