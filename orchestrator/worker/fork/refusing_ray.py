"""Notices a trainable that uses Ray itself: a forked process is no worker of Ray's, and would start another Ray."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

from trainables.process import on_import


def refuse_ray(noticed: Callable[[], object]) -> None:
    """Let this process not start or join Ray; whatever needs Ray calls `ray.init` first.

    Args:
        noticed: Called when the trainable tries.
    """

    def refuse(*_: Any, **__: Any) -> NoReturn:
        noticed()
        raise RuntimeError("a trial that uses Ray itself cannot run in a forked process (trial.isolation: process)")

    def replace() -> None:
        sys.modules["ray"].init = refuse  # type: ignore[attr-defined]

    on_import.do("ray", "refuse", replace)
