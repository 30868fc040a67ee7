"""Keeps Python's search for garbage in cycles from taking the driver's time.

Every report is an object that lives until it is recorded, and they come by the thousand. Python goes through all of
them again and again, and through the heap that Ray has brought along: with 40,000 reports a second, that was a third of
the driver's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 5, 5)
"""As ``gc.set_threshold`` takes them; Python's own are (700, 10, 10). A report is one or two objects."""


@contextmanager
def rarely_sought() -> Iterator[None]:
    """Within, garbage in cycles is sought rarely, and not at all among what there is at the beginning."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
