"""Errors of the system that are the machine's fault, as sentences: a full disk, a limit, a missing permission.

Commands say themselves what they cannot read or write. This is for what any line may meet, and no command foresees.
"""

from __future__ import annotations

import errno
import os
import resource

from orchestrator.errors import SweepError

_OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF)

_HINTS = {
    errno.EACCES: "",
    errno.EPERM: "",
    errno.EROFS: "",
    errno.ENOSPC: "",
    errno.EDQUOT: "",
    errno.EFBIG: "see: ulimit -f",
    errno.EIO: "",
    errno.ESTALE: "",
    errno.ELOOP: "",
    errno.ENAMETOOLONG: "",
    errno.EMFILE: "see: ulimit -n",
    errno.ENFILE: "",
    errno.ENOMEM: "see: ulimit -v",
    errno.EAGAIN: "see: ulimit -u",  # no further process
}
"""By the error of the system, what to look at."""


def machine_error(error: Exception) -> SweepError | None:
    """The sentence for an error that is the machine's fault; None if it may be ours."""
    if isinstance(error, MemoryError):
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        limited = "" if limit == resource.RLIM_INFINITY else f": a process may have {limit / 1e9:.3g} GB (ulimit -v)"
        return SweepError(f"out of memory{limited}")
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return SweepError("the system starts no further thread; see: ulimit -u")
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        near = error.object[max(0, error.start - 60) : error.end + 60].encode(errors="replace").decode()
        return SweepError(f"a path or a text is not UTF-8: {near}")
    cause = error.__context__
    if isinstance(error, RuntimeError) and isinstance(cause, OSError) and cause.errno == errno.ELOOP:
        error = cause  # of Path.resolve(), before Python 3.13
    if not isinstance(error, OSError):
        return None
    if error.filename is None and error.errno in _OF_OUTPUT:
        _throw_output_away()
        return SweepError(f"the answer cannot be printed: {error.strerror}")
    if error.errno not in _HINTS:
        return None
    about = "" if error.filename is None else f": {_shown(error.filename)}"
    hint = _HINTS[error.errno]
    return SweepError(f"{error.strerror or os.strerror(error.errno)}{about}" + (f" ({hint})" if hint else ""))


def _throw_output_away() -> None:
    """What could not be printed would fail again when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _shown(path: object) -> str:
    """A path as text that can be printed, shortened in the middle if it is very long."""
    text = os.fsencode(path).decode(errors="replace") if isinstance(path, str | bytes | os.PathLike) else str(path)
    return text if len(text) <= 200 else f"{text[:80]}…{text[-80:]}"
