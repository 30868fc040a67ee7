"""Keeps Python's cyclic garbage collector from taking the driver's time.

Every report is an object that lives until it is recorded, and reports come by the thousand. The collector traverses all
of them again and again, and Ray's heap as well: at 40,000 reports a second that was a third of the driver's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 5, 5)
"""Arguments of ``gc.set_threshold``, whose defaults are (700, 10, 10). A report is one or two objects."""


@contextmanager
def rarely_collected() -> Iterator[None]:
    """While this is open, cyclic garbage is collected rarely, and never among the objects that exist already."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
