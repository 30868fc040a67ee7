"""A home directory for a user without one: a container's uid that nobody has told of, a home that is read-only.

Ray writes a token there as it starts, and libraries ask where it is as they are imported, and end if nobody knows.
"""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from pathlib import Path

from cluster.local.scratch import scratch


def ensure_home() -> None:
    """If Ray could not use this user's home, give this process another, which is removed at its end.

    Raises:
        NoScratchError: There is no place for it.
    """
    home = os.path.expanduser("~")
    if home != "~" and _usable(Path(home)):
        return
    stack = ExitStack()
    atexit.register(stack.close)
    instead = stack.enter_context(scratch()).path
    if os.path.isdir(caches := os.path.join(home, ".cache")):
        os.environ.setdefault("XDG_CACHE_HOME", caches)  # models and data that trials have there can still be read
    os.environ["HOME"] = str(instead)


def _usable(home: Path) -> bool:
    """Whether Ray finds its token there, or can write one."""
    if os.access(home / ".ray" / "auth_token", os.R_OK):
        return True
    place = home / ".ray" if os.path.isdir(home / ".ray") else home
    return os.access(place, os.W_OK | os.X_OK)
