"""What a node is like from within: a short task on each, which takes up nothing of it.

The task travels by value, so that it also runs where this package is not installed, and can say so.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.inventory import Node

LIMIT_S = 30.0
"""Seconds for a node to answer: a first process there takes some."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a node answered."""

    node: Node
    failed: str = ""  # why it did not; then the rest is empty
    versions: Mapping[str, str | None]  # python's, and each package's; None: it is not installed
    writable: str = ""  # why nothing can be written to the directory; "": it can
    shared: bool = False  # whether a file that either side wrote there is seen by the other
    disk_free: int = 0  # bytes, of that directory
    torch_gpus: int | None = None  # that torch sees, of those that Ray knows of; None: not asked
    skew_s: float = 0.0  # of its clock against ours


def probe(nodes: Sequence[Node], directory: Path, packages: Sequence[str], *, gpus: bool = False) -> list[Probe]:
    """Ask all nodes at once, with Ray connected.

    Args:
        nodes: Of the connected cluster.
        directory: An existing one, by the path under which nodes should see it, too.
        packages: Whose versions are asked for, as they are called on PyPI.
        gpus: Ask torch, which takes seconds to import, for the node's GPUs.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = sys.modules[__name__]
    ray.cloudpickle.register_pickle_by_value(here)
    try:
        ask = ray.remote(num_cpus=0, max_retries=0)(_answer)
    finally:
        ray.cloudpickle.unregister_pickle_by_value(here)
    ours = directory / f".sweep-probe-{uuid.uuid4().hex}"
    with suppress(OSError):
        ours.touch()
    try:
        asked = {}
        for node in nodes:
            where = NodeAffinitySchedulingStrategy(node_id=node.id, soft=False)
            options = ask.options(scheduling_strategy=where)
            asked[options.remote(str(ours), list(packages), gpus and node.gpus > 0)] = (node, time.time())
        return _collect(asked, ours)
    finally:
        for file in directory.glob(f"{ours.name}*"):
            file.unlink(missing_ok=True)


def _collect(asked: Mapping[Any, tuple[Node, float]], ours: Path) -> list[Probe]:
    import ray

    found, left, end = [], list(asked), time.monotonic() + LIMIT_S
    while left:
        done, left = ray.wait(left, timeout=max(0.0, end - time.monotonic()))
        if not done:
            break
        found.append(_of(done[0], *asked[done[0]], ours))
    silent = f"no answer within {LIMIT_S:g} s"
    for reference in left:
        ray.cancel(reference, force=True)
        found.append(Probe(node=asked[reference][0], failed=silent, versions={}))
    return sorted(found, key=lambda each: (each.node.name, each.node.id))


def _of(reference: Any, node: Node, sent: float, ours: Path) -> Probe:
    import ray

    try:
        answer = ray.get(reference)
    except Exception as error:  # whatever went wrong there
        return Probe(node=node, failed=str(error).strip().rpartition("\n")[2] or type(error).__name__, versions={})
    theirs = answer.pop("theirs")
    began, ended, now = answer.pop("began"), answer.pop("ended"), time.time()
    seen = bool(theirs) and ours.with_name(theirs).exists()
    # By whatever it lies outside of what passed here: starting a process takes seconds, so a midpoint would mislead.
    skew = max(0.0, ended - now) + min(0.0, began - sent)
    return Probe(node=node, shared=seen and answer.pop("sees_ours"), skew_s=skew, **_known(answer))


def _known(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name in Probe.__dataclass_fields__}


def _answer(ours: str, packages: list[str], gpus: bool) -> dict[str, Any]:
    """Runs on the node."""
    import importlib
    import os
    import platform
    import shutil
    import time
    import uuid
    from importlib import metadata

    began = time.time()
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    theirs, writable, free = f"{os.path.basename(ours)}-{uuid.uuid4().hex}", "", 0
    directory = os.path.dirname(ours)
    try:
        with open(os.path.join(directory, theirs), "x"):
            pass
        free = shutil.disk_usage(directory).free
    except OSError as error:
        theirs, writable = "", error.strerror or str(error)
    torch_gpus = None
    if gpus:
        if not os.environ.get("CUDA_VISIBLE_DEVICES", "all"):  # Ray hides them from what takes up none
            del os.environ["CUDA_VISIBLE_DEVICES"]
        try:
            torch_gpus = importlib.import_module("torch").cuda.device_count()
        except ImportError:
            torch_gpus = 0
    return {
        "versions": versions,
        "writable": writable,
        "sees_ours": os.path.exists(ours),
        "theirs": theirs,
        "disk_free": free,
        "torch_gpus": torch_gpus,
        "began": began,
        "ended": time.time(),
    }
