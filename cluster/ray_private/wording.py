"""What is read out of Ray's own sentences, because Ray says it nowhere else.

Where Ray changes its wording, a failure is still recorded, with Ray's text, but as one of an ordinary kind.
"""

from __future__ import annotations

import re

_NODE_LOST = ("node has died", "is unavailable: ")
_NEVER_READY = "creation task"
_LOW_ON_MEMORY = "low on memory"
_UNKNOWN_JOB = "does not exist"
_WRONG_TOKEN = ("403", "nvalid")
_BEFORE_OUTPUT = re.compile(r"^(?:Running entrypoint for job |[-\d]+ [\d:,]+\tINFO job_manager\.py).*\n", re.MULTILINE)


def node_lost(text: str) -> bool:
    """Whether a worker died with its node, or because its node cannot be reached."""
    return any(phrase in text for phrase in _NODE_LOST)


def worker_never_ready(text: str) -> bool:
    """Whether a worker died before it could be set up."""
    return _NEVER_READY in text


def low_on_memory(text: str) -> bool:
    """Whether Ray killed a worker because its node was short of memory."""
    return _LOW_ON_MEMORY in text


def unknown_job(text: str) -> bool:
    """Whether a cluster does not know a job."""
    return _UNKNOWN_JOB in text


def wrong_token(text: str) -> bool:
    """Whether a token was presented and refused, rather than missing."""
    return any(phrase in text for phrase in _WRONG_TOKEN)


def without_rays_lines(output: str) -> str:
    """A job's output without the lines that Ray writes before it."""
    return _BEFORE_OUTPUT.sub("", output)
