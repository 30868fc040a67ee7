"""What is sent to a cluster: the user's project as it is now, and this program itself, in one zip.

The program goes along so that the cluster runs the version that was asked here; what it depends on, Ray and torch
and so on, the nodes must have. An installed program and a checkout are packed in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from cluster.snapshot import Snapshot, pack, put
from orchestrator import own_packages
from orchestrator.sites.code_origin import CODE, FILE, Origin

PROGRAM = ("orchestrator", *own_packages.SHARED)


def program(target: Path) -> None:
    """Write a package with nothing but this program: enough to ask something of a sweep that is there."""
    with ZipFile(target, "w") as zipped:
        _put_program(zipped)


def project(target: Path, snapshot: Snapshot, origin: Callable[[str], Origin]) -> str:
    """Write a package with the project, too.

    Args:
        target: The zip to be written.
        snapshot: The files.
        origin: Given the hash of the files as they were written, says where they come from.

    Returns:
        That hash.

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
