"""A sweep starts without the loggers of MLflow and W&B, which Ray Tune imports to count who uses them."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest
from ray import tune
from ray.air._internal import usage

from cluster.ray_private.callback_count import callbacks_uncounted

IMPORTING = pytest.raises(ImportError, match="imported")


@pytest.fixture(autouse=True)
def importing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(_: Any) -> None:
        raise ImportError("imported")

    monkeypatch.setattr(usage, "_count_callbacks", count)


def test_callbacks_are_not_counted() -> None:
    with callbacks_uncounted():
        usage.tag_callbacks([tune.Callback()])
    with IMPORTING:
        usage.tag_callbacks([tune.Callback()])


def test_ray_tune_counts_them_where_it_looks_this_up() -> None:
    """When this fails, cluster/ray_private/callback_count.py is no longer needed, or no longer of use."""
    assert sys.modules["ray.tune.tune"].air_usage is usage
    assert "    air_usage.tag_callbacks(callbacks)" in inspect.getsource(tune.run)
