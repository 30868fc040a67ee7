"""What Ray's client of the Jobs API knows and does not tell by a public method."""

from __future__ import annotations

import logging
from typing import Any

from cluster.ray_private.names import SERVER_VERSION


def server_version(client: Any) -> str:
    """The version of the Ray that the client's cluster runs; "" where the client cannot be asked.

    Args:
        client: A ``JobSubmissionClient``, which asked for the version when it was made.
    """
    if SERVER_VERSION.find() is None:
        return ""
    return str(getattr(client, "_server_ray_version", None) or "")


def silence_uploads() -> None:
    """Keep Ray from logging each upload of a package."""
    for name in ("dashboard_sdk", "job.sdk"):
        logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.ERROR)
