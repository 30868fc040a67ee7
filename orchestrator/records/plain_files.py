"""Reads files that somebody else may have put into a sweep's directory: only regular ones, of bounded size and form.

A FIFO would hold its reader up for ever, and a link to a device has no end.
"""

from __future__ import annotations

import errno
import os
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from orchestrator.errors import RecordsError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MOST_JSON = 64 * 2**20
"""Bytes of the largest JSON file of a sweep that is read."""


def open_plain(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a file for reading, which must be a regular one.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link to a regular file.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)  # a FIFO opens at once
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def read_plain(path: Path, most: int = MOST_JSON, *, follow: bool = True) -> bytes:
    """The content of a regular file.

    Args:
        path: The file.
        most: Bytes. A larger file is not read.
        follow: As for :func:`open_plain`.

    Raises:
        OSError: As for :func:`open_plain`, or the file is larger.
    """
    with open_plain(path, follow=follow) as file:
        if os.fstat(file.fileno()).st_size <= most:
            content = file.read()  # asked for `most`, it would take memory for as much
            if len(content) <= most:
                return content
    raise OSError(errno.EFBIG, f"it is larger than {most} bytes", str(path))


def parse_as(kind: Any, content: bytes | str) -> Any:
    """JSON as a value of a type, such as a dataclass. Unknown keys are left out; types are not converted.

    Raises:
        ValueError: It is not JSON, or not of the type: a phrase that names the first key that is wrong.
    """
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        said = first["msg"][:1].lower() + first["msg"][1:]
        raise ValueError(f"{key}: {said}" if key else said) from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def read_text(path: Path) -> str:
    """The text of a file, with U+FFFD for what is no UTF-8; empty if there is no file.

    Raises:
        RecordsError: It cannot be read, or is no regular file.
    """
    try:
        return read_plain(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
