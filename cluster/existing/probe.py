"""What each node of a cluster is like from within, as a short task reports that occupies nothing of the node.

The task is pickled by value, so it also runs on a node where this package is not installed, and reports that.
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
"""Seconds for a node to answer; its first process takes some of them to start."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One node's answer."""

    node: Node
    failed: str = ""  # why there is no answer; the rest is empty then
    versions: Mapping[str, str | None]  # of python and of each package; None: not installed
    writable: str = ""  # why the directory cannot be written to; "" if it can
    shared: bool = False  # whether each side sees a file that the other has written there
    disk_free: int = 0  # bytes, in the directory
    torch_gpus: int | None = None  # GPUs that torch sees, of those that Ray knows; None: not asked
    skew_s: float = 0.0  # how far the node's clock is ahead of ours, at least


def probe(nodes: Sequence[Node], directory: Path, packages: Sequence[str], *, gpus: bool = False) -> list[Probe]:
    """Ask all nodes at once; this process is connected to their cluster.

    Args:
        nodes: Of the connected cluster.
        directory: An existing directory that the nodes should see by the same path.
        packages: Names on PyPI; their versions are reported.
        gpus: Also ask torch for the node's GPUs; importing torch takes seconds.
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
    except Exception as error:  # Ray raises whatever went wrong on the node
        return Probe(node=node, failed=str(error).strip().rpartition("\n")[2] or type(error).__name__, versions={})
    theirs = answer.pop("theirs")
    began, ended, now = answer.pop("began"), answer.pop("ended"), time.time()
    seen = bool(theirs) and ours.with_name(theirs).exists()
    # By how much their times lie outside of ours: starting a process takes seconds, so a midpoint would mislead.
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
        if not os.environ.get("CUDA_VISIBLE_DEVICES", "all"):  # Ray hides the GPUs from a task that occupies none
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
