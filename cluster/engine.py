"""The engine of a sweep: which Ray it runs on, as a value. What runs there is not known here.

Every engine keeps the same contract: inside of ``reached`` its nodes can be asked for, inside of ``running``, within
it, this process is connected to Ray. So what fits is known before anything of a sweep is written, and an embedded Ray,
whose start takes seconds, starts only when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cluster.existing.connect import connected, vital_places
from cluster.existing.probe import Probe, probe
from cluster.inventory import Node, nodes, this_machine
from cluster.local.embedded import embedded
from cluster.local.watch import LastWords, stopped_answering, watched
from cluster.where import LOCAL

PATIENCE_S = 20.0
"""Seconds that a head may be away. After a minute Ray would end this process from within."""


class Engine(Protocol):
    """Where trials run."""

    @property
    def name(self) -> str:
        """As behind ``--on``."""
        ...

    def reached(self) -> AbstractContextManager[None]:
        """Come so far that its nodes are known.

        Raises:
            ClusterError: It cannot be reached.
        """
        ...

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that there are now, or will be."""
        ...

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        """What its nodes are like from within, where that may be other than here; see ``probe.probe``."""
        ...

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        """Have Ray run, and this process connected to it.

        Args:
            stuck: Called in another thread if Ray has ended and this one cannot be told of it; the process ends then.

        Raises:
            RayEndedError: Ray ended while this was open.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Ray in this process; it starts and ends with the sweep."""

    cpus: int | None = None  # None: all that this process may use
    gpus: int | None = None  # None: all there are; on a machine without they are pretended, for placement only

    @property
    def name(self) -> str:
        return LOCAL

    def reached(self) -> AbstractContextManager[None]:
        return nullcontext()

    def nodes(self) -> tuple[Node, ...]:
        return (this_machine(cpus=self.cpus, gpus=self.gpus),)

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        return []

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        return embedded(cpus=self.cpus, gpus=self.gpus, stuck=stuck)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A cluster that runs already; it goes on after the sweep."""

    address: str  # auto, or host:port
    runtime_env: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.address

    def reached(self) -> AbstractContextManager[None]:
        return connected(self.address, runtime_env=self.runtime_env)

    def nodes(self) -> tuple[Node, ...]:
        return nodes()

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        return probe(nodes, directory, packages)

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        return watched(stopped_answering(vital_places(), patience_s=PATIENCE_S), every_s=1.0, stuck=stuck)


@dataclass(frozen=True, kw_only=True)
class Present:
    """The Ray that this process is connected to already; it stays connected, and that Ray goes on."""

    name: str = LOCAL

    def reached(self) -> AbstractContextManager[None]:
        return nullcontext()

    def nodes(self) -> tuple[Node, ...]:
        return nodes()

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        return probe(nodes, directory, packages) if len(nodes) > 1 else []

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        return watched(stopped_answering(vital_places(), patience_s=PATIENCE_S), every_s=1.0, stuck=stuck)
