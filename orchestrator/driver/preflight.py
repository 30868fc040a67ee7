"""Checks that nodes can run trials: the driver's versions, and the same results directory."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from cluster.engine import Engine
from cluster.existing.probe import Probe
from cluster.fit import ranks
from cluster.inventory import Node
from cluster.ray_private.names import FUNCTION_SESSION
from orchestrator.errors import ClusterUseError
from orchestrator.sites.needs import Needs
from orchestrator.spec.load_trainable import shape_of
from orchestrator.spec.source import Source

OURS = "sweep-orchestrator"
NEEDED = (OURS, "ray")
"""Packages whose versions must be those of the driver."""


def check_trainable(source: Source) -> None:
    """Check that the installed Ray can run the trainable.

    Raises:
        UnsupportedRayError: The trainable is a function written for Ray Tune, and it could not report.
    """
    if shape_of(source.trainable()) == "ray":
        FUNCTION_SESSION.require()


def check_nodes(engine: Engine, nodes: Sequence[Node], needs: Needs, results: Path) -> None:
    """Check all nodes that will run trials, in parallel; takes seconds on a cluster.

    Raises:
        UserError: A node cannot run trials; the error names it.
    """
    probes = engine.probed(
        [node for node in nodes if any(ranks(node, need) for need in needs.kinds)], existing(results), NEEDED
    )
    faulty = {probe.node.name: "; ".join(faults(probe, NEEDED)) for probe in probes}
    named = [f"{name}: {what}" for name, what in faulty.items() if what]
    if named:
        raise ClusterUseError(
            f"{len(named)} of {len(probes)} nodes cannot run trials; {' | '.join(named[:3])}"
            f"{' | …' if len(named) > 3 else ''} (sweep doctor --on {engine.name} shows all)"
        )


def faults(probe: Probe, packages: Sequence[str]) -> list[str]:
    """What is wrong with a node: an error, another version of Python or of a package, or another results directory.

    Args:
        probe: The answer of the node.
        packages: Packages whose versions must be those of the driver.
    """
    if probe.failed:
        return [probe.failed]
    found = []
    python = probe.versions["python"] or ""
    if python.split(".")[:2] != platform.python_version().split(".")[:2]:
        found.append(f"python is {python}, here {platform.python_version()}")
    for package in packages:
        there, here = probe.versions[package], version(package)
        if there != here:
            found.append(f"{package} is {there or 'not installed'}, here {here or 'not installed'}")
    if probe.writable:
        found.append(f"the results directory cannot be written to: {probe.writable}")
    elif not probe.shared:
        found.append("the results directory is not the one seen here; it must be on a shared filesystem")
    return found


def version(package: str) -> str | None:
    """The driver's version of a package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def existing(directory: Path) -> Path:
    """The directory, or its nearest parent that exists."""
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    return place
