"""What the word after ``--on`` means, as a value. Pure: nothing is looked up, connected to or started."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from cluster.errors import ClusterError

LOCAL, AUTO, SLURM = "local", "auto", "slurm"

_HOST_PORT = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_URL = re.compile(r"https?://[^/\s]+/?")


@dataclass(frozen=True, kw_only=True)
class Local:
    """Ray embedded in this process."""


@dataclass(frozen=True, kw_only=True)
class Existing:
    """A running Ray cluster that this process joins as a driver, on one of the cluster's nodes."""

    address: str  # auto, or host:port


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """A running Ray cluster to which the sweep is submitted as a Ray Job."""

    address: str  # http(s)://host:port, without a trailing slash


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch system that starts a Ray cluster for the sweep."""

    profile: str  # the name of a site profile; slurm if there is none


Where = Local | Existing | Jobs | Batch


def where(text: str, profiles: Collection[str] = ()) -> Where:
    """What a word means.

    Args:
        text: The word after ``--on``.
        profiles: The names of all site profiles.

    Raises:
        ClusterError: The word means nothing.
    """
    word = text.strip()
    if word == LOCAL:
        return Local()
    if word == AUTO:
        return Existing(address=AUTO)
    if word == SLURM or word in profiles:
        return Batch(profile=word)
    if _URL.fullmatch(word):
        return Jobs(address=word.rstrip("/"))
    if _HOST_PORT.fullmatch(word) and int(word.rpartition(":")[2]) < 2**16:
        return Existing(address=word)
    raise ClusterError(_unknown(text, [LOCAL, AUTO, SLURM, *sorted(profiles)]))


def _unknown(text: str, words: list[str]) -> str:
    nearest = difflib.get_close_matches(text.strip().lower(), words, n=1, cutoff=0.6)
    asked = f"did you mean {nearest[0]}? " if nearest else ""
    allowed = f"{', '.join(words)}, host:port of a Ray cluster, or http://host:8265 of its Jobs API"
    return f"--on {text!r} is not a place for a sweep: {asked}choose {allowed}"
