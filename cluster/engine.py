"""Where a sweep runs, as a value: which Ray, and how to get there. What runs on it is not known here.

Every engine keeps the same contract: within ``reached`` the engine tells its nodes; within ``running``, inside of it,
this process is connected to Ray. So a caller knows what fits before it writes anything, and an embedded Ray, which
takes seconds to start, starts only when it is needed.
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
"""Seconds that a head may be unreachable. After a minute Ray itself would end this process."""


class Engine(Protocol):
    """Where trials run."""

    @property
    def name(self) -> str:
        """The word after ``--on``."""
        ...

    def reached(self) -> AbstractContextManager[None]:
        """Get far enough to know the engine's nodes.

        Raises:
            ClusterError: The engine cannot be reached.
        """
        ...

    def nodes(self) -> tuple[Node, ...]:
        """The nodes that there are now, or will be once Ray runs."""
        ...

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        """What the nodes are like from within, where they may differ from this machine; see ``probe.probe``."""
        ...

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        """Run Ray, with this process connected to it.

        Args:
            stuck: Called in another thread if Ray has ended and this one cannot be interrupted; the process ends then.

        Raises:
            RayEndedError: Ray ended while this was open.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Ray embedded in this process, from the sweep's start to its end."""

    cpus: int | None = None  # None: all that this process may use
    gpus: int | None = None  # None: all; on a machine without GPUs they are pretended, for placement only

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
    """A cluster that runs already, and keeps running after the sweep."""

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
    """The Ray to which this process is connected already; both the connection and that Ray outlive the sweep."""

    name: str = LOCAL

    def reached(self) -> AbstractContextManager[None]:
        return nullcontext()

    def nodes(self) -> tuple[Node, ...]:
        return nodes()

    def probed(self, nodes: Sequence[Node], directory: Path, packages: Sequence[str]) -> list[Probe]:
        return probe(nodes, directory, packages) if len(nodes) > 1 else []

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        return watched(stopped_answering(vital_places(), patience_s=PATIENCE_S), every_s=1.0, stuck=stuck)
