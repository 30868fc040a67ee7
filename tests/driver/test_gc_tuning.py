"""Cyclic garbage is still collected while a sweep runs, and the collector's settings are restored afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from orchestrator.driver.gc_tuning import THRESHOLDS, rarely_collected


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_existing_objects_are_left_alone_and_new_garbage_is_found() -> None:
    there, frozen = Cycle(), gc.get_freeze_count()
    old = weakref.ref(there)
    with rarely_collected():
        assert gc.get_freeze_count() > frozen
        del there
        new = weakref.ref(Cycle())
        held: list[list[int]] = [[] for _ in range(2 * THRESHOLDS[0])]
        assert new() is None
        assert old() is not None
    assert held
    gc.collect()
    assert old() is None


def test_it_is_set_back_after_an_error() -> None:
    def fail() -> None:
        with rarely_collected():
            assert gc.get_threshold() == THRESHOLDS
            raise ValueError("mine")

    before = gc.get_threshold()
    with pytest.raises(ValueError, match="mine"):
        fail()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
