"""Starting and ending an embedded Ray: an option of ``ray.init``, and the moment at which Ray has disconnected."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from cluster.ray_private.names import ALL_MEMORY, GOODBYE

GOODBYE_S = 1.0
"""Seconds after which Ray counts as disconnected, where it cannot be asked."""


def all_memory(amount: float) -> dict[str, Any]:
    """Arguments of ``ray.init`` that make this much memory available to trials; empty if Ray keeps a part of it back.

    Args:
        amount: Bytes.
    """
    return {"_memory": int(amount)} if ALL_MEMORY.find() is not None else {}


def shut_down(kill: Callable[[], object]) -> None:
    """Disconnect this process from an embedded Ray, and end Ray.

    Args:
        kill: Kills Ray's processes. Called once the driver has said goodbye to the GCS, and not before: the driver
            would wait 5 seconds for a GCS that is gone.
    """
    import ray

    done = threading.Event()

    def kill_after_goodbye() -> None:
        found = GOODBYE.find()
        if found is None:
            done.wait(GOODBYE_S)
        else:
            worker, _ = found
            while hasattr(worker, "core_worker") and not done.is_set():
                time.sleep(0.01)
        kill()

    killer = threading.Thread(target=kill_after_goodbye, name="ends Ray", daemon=True)
    killer.start()
    ray.shutdown()
    done.set()
    killer.join()
