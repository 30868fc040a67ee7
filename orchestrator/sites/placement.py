"""The engine that a sweep runs on, and how many of its trials fit on the engine's nodes at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from cluster.engine import Embedded, Engine, Joined, Present
from cluster.errors import ClusterError
from cluster.existing.present import present_address
from cluster.fit import slots
from cluster.gpus.register import Share, own_gpus
from cluster.inventory import Node
from cluster.where import AUTO, Existing, Local
from orchestrator.errors import ClusterUseError, InfeasibleError, OptionsError, UserError
from orchestrator.formatting import count
from orchestrator.sites.needs import needs_of
from orchestrator.sites.profiles import site
from orchestrator.spec import Spec


def engine_at(on: str, *, cpus: int | None = None, gpus: int | None = None) -> Engine:
    """The engine for a sweep that this process runs. If the process is connected to Ray already, that Ray is used.

    Args:
        on: The value of ``--on``.
        cpus: CPUs of this machine that Ray may use; None for all. Only with local.
        gpus: GPUs of this machine that Ray may use; None for all. Only with local.

    Raises:
        UserError: There is no such engine, it does not take cpus and gpus, or the Ray that this process is connected to
            cannot be used for it.
    """
    named = site(on)
    found = named.where
    if isinstance(found, Local | Existing) and (present := _present()) is not None:
        return _engine_present(present, found, on, set_here=cpus is not None or gpus is not None)
    if isinstance(found, Local):
        return Embedded(cpus=cpus, gpus=gpus)
    if cpus is not None or gpus is not None:
        raise OptionsError(f"--cpus and --gpus require --on local; to limit the GPUs of {on}, use --max-gpus")
    if isinstance(found, Existing):
        return Joined(address=found.address, runtime_env=named.profile.runtime_env())
    raise UserError(f"not possible on {on}: this command runs the driver itself, on local, auto or host:port")


def _present() -> str | None:
    try:
        return present_address()
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error


def _engine_present(address: str, wanted: Local | Existing, on: str, *, set_here: bool) -> Engine:
    """The Ray at this address, to which this process is connected, if it is the one that is wanted."""
    if set_here:
        raise OptionsError(
            f"cpus and gpus cannot be set: this process is already connected to Ray at {address}, which has its own;"
            " leave them out, or call ray.shutdown() first"
        )
    if isinstance(wanted, Existing) and wanted.address not in (AUTO, address):
        raise ClusterUseError(
            f"this process is already connected to Ray at {address}, so it cannot join {wanted.address};"
            " call ray.shutdown() first"
        )
    return Present(name=on)


@contextmanager
def reached(engine: Engine) -> Iterator[None]:
    """Connect to the engine for the duration of the with block.

    Raises:
        UserError: The engine cannot be reached.
    """
    try:
        with engine.reached():
            yield
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error


@contextmanager
def reached_for(engine: Engine, spec: Spec) -> Iterator[tuple[str, ...]]:
    """As :func:`reached`, for a sweep that is to run: on this machine, with GPUs that no other sweep here uses.

    Yields what there is to say of that.

    Raises:
        UserError: The engine cannot be reached.
    """
    if not isinstance(engine, Embedded) or spec.resources.gpu == 0:
        with reached(engine):
            yield ()
        return
    with own_gpus(engine.gpus) as share, reached(engine):
        yield _said_of(share)


def _said_of(share: Share) -> tuple[str, ...]:
    if share.shared:
        total, shared = len(share.devices), len(share.shared)
        which = "its GPU" if total == 1 else f"{shared} of its {total} GPUs" if shared < total else f"its {total} GPUs"
        return (f"another sweep on this machine uses {which}, too",)
    if share.others and not share.asked:
        return (f"uses {count(len(share.devices), 'GPU')}; other sweeps on this machine have the other {share.others}",)
    return ()


def sharing(spec: Spec, found: Sequence[Node], gpus: float, surplus: int) -> int:
    """How many trials run at once if new trials get this share of a GPU.

    Args:
        spec: The other resources of a trial.
        found: The nodes.
        gpus: GPUs, or the share of one, per new trial.
        surplus: Slots that running trials take beyond one each, because their shares are larger.
    """
    needs, cap = needs_of(spec, found), spec.resources.max_gpus
    need = replace(needs.usual, gpus=gpus / needs.usual.ranks)
    together = slots(found, need, max_gpus=cap)
    if not surplus:
        return together
    return min(together, slots(found, replace(need, cpus=0.0, memory=0.0, custom={}), max_gpus=cap) - surplus)


def free_slots(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials may run at once, within `resources.concurrency`.

    Raises:
        InfeasibleError: Not even one trial fits.
    """
    return min(capacity(spec, found), spec.resources.concurrency or sys.maxsize)


def capacity(spec: Spec, found: Sequence[Node]) -> int:
    """How many trials fit at once, within `resources.max_gpus`.

    Raises:
        InfeasibleError: Not even one trial fits.
    """
    needs, cap = needs_of(spec, found), spec.resources.max_gpus
    problem = needs.lacking(found)
    if problem:
        ours = all(not node.id for node in found)
        raise InfeasibleError(f"{problem} (see resources in the spec{' and --cpus, --gpus' if ours else ''})")
    most = max(need.all_gpus for need in needs.kinds)
    if cap is not None and most > cap:
        raise InfeasibleError(f"one trial needs {most:g} GPUs, but resources.max_gpus allows {cap:g} for all trials")
    return needs.slots(found, cap)
