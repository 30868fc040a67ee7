"""To which Ray this process is connected, if it has imported Ray at all."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from cluster.existing.present import present_address


def test_a_ray_that_another_thread_is_importing_is_connected_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    assert present_address() is None
