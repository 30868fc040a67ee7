"""Keeps the file with Ray's token to its user: whoever has the token runs code in the clusters that accept it.

Ray writes it with the rights that the umask leaves, by which others can read it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def token_file() -> Path | None:
    """Where Ray keeps a user's token, which need not exist; None for a user without a home."""
    try:
        return Path.home() / ".ray" / "auth_token"
    except RuntimeError:
        return None


def keep_private() -> None:
    """Take the rights of others from the token, and from its directory, which is made, so that one to come is private.

    A directory or a file of somebody else, and one that is a link, stays as it is.
    """
    file = token_file()
    if file is None:
        return
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, exist_ok=True)
    _tighten(file.parent, os.O_DIRECTORY)
    _tighten(file, os.O_NONBLOCK)


def _tighten(path: Path, flags: int) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags)
        try:
            found = os.fstat(descriptor)
            if found.st_uid == os.geteuid() and found.st_mode & 0o077:
                os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & 0o700)
        finally:
            os.close(descriptor)
