"""The code of a sweep is one version, though the user goes on editing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.engine import Present
from orchestrator.core.extend import Extension
from orchestrator.driver.resume import resume
from orchestrator.errors import CodeChangedError
from orchestrator.records.load import Sweep, load
from orchestrator.records.paths import SweepPaths

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

TRAIN = """
import time
from pathlib import Path
import model

VERSION = 1

def edit():
    for file in (Path("train.py"), Path("model.py"), Path("late.py")):
        file.write_text(file.read_text().replace("VERSION = 1", "VERSION = 2"))

def train(config, trial):
    if trial.number == 0:
        edit()
        Path("broken.py").write_text("def (")
    if trial.number == 2:
        time.sleep(1.5)
        raise RuntimeError("a flaky trial: its process is replaced")
    import broken, late
    trial.report(step=1, loss=config["x"], train=VERSION, model=model.VERSION, late=late.VERSION)
"""


def versions(sweep: Sweep) -> list[set[float]]:
    return [set(row) for row in sweep.metrics[["train", "model", "late"]].itertuples(index=False, name=None)]


def test_edits_wait_for_a_resume_that_accepts_them(sweep_of: Callable[..., Sweep], tmp_path: Path) -> None:
    for name in ("model", "late"):
        (tmp_path / f"{name}.py").write_text("VERSION = 1\n")
    (tmp_path / "broken.py").write_text("")
    sections: dict[str, Any] = {"budget": {"trials": 5}, "resources": {"concurrency": 1}}
    sweep = sweep_of(TRAIN, **sections)
    assert sweep.trials["state"].tolist() == ["completed"] * 2 + ["failed"] + ["completed"] * 2
    assert versions(sweep) == [{1.0}] * 4
    (note,) = sweep.events.loc[sweep.events["event"] == "note", "reason"]
    assert note == (
        "broken.py, late.py, model.py and train.py were edited while the sweep ran;"
        " trials kept to the version it was started with"
    )
    paths = SweepPaths(next((tmp_path / "results").iterdir()))
    assert (paths.code / "train.py").read_text() == TRAIN
    assert (paths.code / "model.py").read_text() == "VERSION = 1\n"
    recorded = json.loads(paths.info.read_text())["fingerprints"]
    assert recorded.keys() == {"broken.py", "late.py", "model.py", "train.py"}

    (tmp_path / "broken.py").write_text("# mended\n")
    (tmp_path / "train.py").write_text(TRAIN.replace("edit()\n", "edit()  # then\n"))
    (tmp_path / "late.py").write_text('"""Imported late."""\nVERSION = 1\n')
    with pytest.raises(CodeChangedError, match=r"^model\.py has changed since .* was launched"):
        resume(paths, extension=Extension(trials=6), engine=Present())
    (tmp_path / "model.py").write_text("VERSION = 1\n")
    resume(paths, extension=Extension(trials=6), engine=Present())
    assert versions(load(paths.root)) == [{1.0}] * 5
    (tmp_path / "model.py").write_text("VERSION = 3\n")
    resume(paths, extension=Extension(trials=7), engine=Present(), allow_change=True)
    assert versions(load(paths.root))[5:] == [{1.0, 3.0}]
    assert (paths.code / "model.py").read_text() == "VERSION = 3\n"
    resume(paths, extension=Extension(trials=8), engine=Present())
    assert json.loads(paths.info.read_text())["resumed"][-1]["changed"] == []
