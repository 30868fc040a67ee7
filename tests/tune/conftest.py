"""One embedded Ray per module, because a start takes seconds."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.engine import Present
from cluster.local.embedded import embedded
from orchestrator import own_packages
from orchestrator.driver.launch import launch
from orchestrator.driver.observer import Observer
from orchestrator.records.load import Sweep, load
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.source import Source

CPUS = 2


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=CPUS, gpus=0):
        yield


@pytest.fixture
def sweep_of(ray: None, tmp_path: Path) -> Callable[..., Sweep]:
    """Launch a spec on the module's Ray, from a mapping, the text of train.py and an observer."""

    def run(train: str = "", observer: Observer | None = None, **sections: Any) -> Sweep:
        if train:
            (tmp_path / "train.py").write_text(textwrap.dedent(train))
        data = {
            "trainable": "train.py:train",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": 4},
        } | sections
        spec = parse_spec(data, base=tmp_path, resolve=declared)
        source = Source(spec=spec, text=b"", base=tmp_path, declaration=declared(spec.trained, tmp_path))
        try:
            watched = observer and (lambda *_: observer)
            launch(source, results=tmp_path / "results", engine=Present(), observer=watched)
        except Exception as error:
            run.error = error  # type: ignore[attr-defined]
        return load(max((tmp_path / "results").iterdir(), key=lambda path: path.stat().st_mtime))

    run.error = None  # type: ignore[attr-defined]
    return run


@pytest.fixture
def names_given_back() -> Iterator[None]:
    """Restore our own modules after a test whose user modules have the same names."""

    def shared() -> dict[str, Any]:
        return {key: module for key, module in sys.modules.items() if key.partition(".")[0] in own_packages.SHARED}

    before, claimed, parked = shared(), set(own_packages._claimed), dict(own_packages._parked)
    yield
    for key in shared():
        del sys.modules[key]
    sys.modules.update(before)
    for kept, then in ((own_packages._claimed, claimed), (own_packages._parked, parked)):
        kept.clear()
        kept.update(then)
