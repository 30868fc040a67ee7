"""The relative paths in a spec, as they are written in another directory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def moved_paths(plain: Mapping[str, Any], base: Path, to: Path) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """The values that have to change, with what they were: files of code, data, and earlier sweeps.

    Args:
        plain: A spec as plain values with dotted names. It may have mistakes.
        base: The directory from which its paths start.
        to: The directory from which they are to start.
    """
    if base == to:
        return
    search = plain.get("search")
    search = search if isinstance(search, Mapping) else {}
    for key, named in ((("trainable",), plain.get("trainable")), (("search", "method"), search.get("method"))):
        where, colon, attribute = named.partition(":") if isinstance(named, str) else ("", "", "")
        if colon and where.endswith(".py") and not Path(where).is_absolute():
            yield key, f"{relative(base / where, to)}:{attribute}", where
    if isinstance(search.get("from"), list) and all(isinstance(each, str) for each in search["from"]):
        before: list[str] = search["from"]
        earlier = [relative(base / each, to) if (base / each).is_dir() else each for each in before]
        if earlier != before:
            yield ("search", "from"), earlier, ", ".join(before)
    if isinstance(configs := search.get("configs"), str) and not Path(configs).is_absolute():
        yield ("search", "configs"), relative(base / configs, to), configs
    fixed = plain.get("fixed")
    for name, value in fixed.items() if isinstance(fixed, Mapping) else ():
        if isinstance(value, str) and is_path(value, base):
            yield ("fixed", name), relative(base / value, to), value


def is_path(value: str, base: Path) -> bool:
    """Whether a value is the relative path of a file or folder. A folder's has a slash: ``cnn`` may just be a word."""
    if not value or Path(value).is_absolute():
        return False
    return (base / value).is_file() or ("/" in value and (base / value).is_dir())


def relative(file: Path, directory: Path) -> str:
    """The path of a file as it is written in a directory."""
    return Path(os.path.relpath(file, directory)).as_posix()
