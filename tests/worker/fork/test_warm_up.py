"""A parent that the driver warms up while Ray starts, from which the workers of the machine get theirs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.engine import Embedded, Present
from orchestrator.driver.warm_up import warmed_up
from orchestrator.spec import Objective
from orchestrator.worker.messages import Isolated, WorkerSettings
from tests.worker.fork.conftest import Worker

TRAIN = """
import os
{at_import}
def train(config, trial):
    trial.report(step=1, loss=1, parent=os.getppid())
"""


def settings_in(directory: Path, at_import: str = "", *, isolation: Isolated = "fork") -> WorkerSettings:
    (directory / "train.py").write_text(TRAIN.format(at_import=at_import))
    (directory / "logs").mkdir()
    return WorkerSettings(
        trainable="train.py:train",
        base=str(directory),
        logs=str(directory / "logs"),
        journals=str(directory / "journals"),
        trials=str(directory / "trials"),
        objective=Objective(metric="loss"),
        heartbeat_s=0.2,
        isolation=isolation,
    )


def test_workers_get_their_parents_from_it_and_do_not_import_again(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    imports = f"open({str(tmp_path / 'imports')!r}, 'a').write('.')"
    with warmed_up(settings_in(tmp_path, imports), Embedded(cpus=2)) as settings:
        workers = [Worker(settings, first=number) for number in range(2)]  # they wait until it is ready
        parents = [worker.train()[0]["parent"] for worker in workers]
        assert parents[0] != parents[1]
        assert (tmp_path / "imports").read_text() == "."
        processes = set(psutil.Process().children(recursive=True)) - before
        assert 3 <= len(processes) <= 5  # each may have a process in reserve by now
        for worker in workers:
            worker.runner.close()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
    assert not Path(settings.warmed).parent.exists()


@pytest.mark.parametrize("fault", ["raise ValueError", "import threading; threading.Timer(1000, print).start()"])
def test_what_it_cannot_serve_a_worker_finds_out_itself(fault: str, tmp_path: Path) -> None:
    with (
        warmed_up(settings_in(tmp_path, fault), Embedded(cpus=2)) as settings,
        pytest.raises(Exception, match=r"train.py cannot be imported|starts a thread"),
    ):
        Worker(settings)


def test_a_worker_on_another_machine_starts_its_own(tmp_path: Path) -> None:
    worker = Worker(replace(settings_in(tmp_path), warmed=str(tmp_path / "nowhere")))
    assert worker.train()[0]["loss"] == 1
    worker.runner.close()


@pytest.mark.parametrize(("engine", "isolation"), [(Present(), "fork"), (Embedded(), "reuse"), (Embedded(), "process")])
def test_nothing_is_warmed_up_where_nobody_would_use_it(engine: Any, isolation: Any, tmp_path: Path) -> None:
    before = settings_in(tmp_path, isolation=isolation)
    with warmed_up(before, engine) as settings:
        assert settings == before


def test_it_ends_when_it_is_not_wanted_any_more_even_during_its_imports(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    with warmed_up(settings_in(tmp_path, "import time; time.sleep(1000)"), Embedded(cpus=2)):
        (process,) = set(psutil.Process().children()) - before
        time.sleep(0.5)
    assert not process.is_running()
