"""Makes the zip that is sent to a cluster: the user's project in its current state, and this program.

The program is included so that the cluster runs the same version; its dependencies, such as Ray and torch, must be
installed on the nodes. An installed program and a checkout are packed alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from cluster.snapshot import Snapshot, pack, put
from orchestrator import own_packages
from orchestrator.sites.code_origin import CODE, FILE, CodeOrigin

PROGRAM = ("orchestrator", *own_packages.SHARED)


def program(target: Path) -> None:
    """Write a package with only this program, for commands about a sweep on the cluster."""
    with ZipFile(target, "w") as zipped:
        _put_program(zipped)


def project(target: Path, snapshot: Snapshot, origin: Callable[[str], CodeOrigin]) -> str:
    """Write a package with the project and this program.

    Args:
        target: The zip to write.
        snapshot: The project's files.
        origin: Gives the origin of the code for the hash of the packed files.

    Returns:
        The hash of the packed files.

    Raises:
        ClusterError: A file cannot be read.
    """
    with ZipFile(target, "w") as zipped:
        _put_program(zipped)
        digest = pack(snapshot, zipped, CODE)
        put(zipped, FILE, origin(digest).as_bytes())
    return digest


def _put_program(zipped: ZipFile) -> None:
    for package in PROGRAM:
        for path in sorted((own_packages.ROOT / package).rglob("*")):
            if path.suffix in (".py", ".typed"):
                put(zipped, path.relative_to(own_packages.ROOT).as_posix(), path.read_bytes())
