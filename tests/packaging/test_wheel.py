"""The wheel, as a user has it: installed outside the checkout, in a project with folders named as ours are."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"orchestrator", "trainables", "cluster"}


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    run = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", directory)
    run(sys.executable, "-m", "pip", "wheel", *options, ROOT, cwd=directory)
    (built,) = directory.iterdir()
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of an environment with the wheel; what it depends on is lent by the one we run in."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=home)
    (packages,) = home.glob("lib/python*/site-packages")
    lent = sysconfig.get_path("purelib")  # but not the .pth files there, of which one names the checkout
    (packages / "lent.pth").write_text(lent)
    return home / "bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "cluster/__init__.py": "",
        "cluster/data.py": "POINTS = [(x, 3 * x - 1) for x in range(10)]",
        "trainables/__init__.py": "from trainables.models import Line",
        "trainables/models.py": """
            class Line:
                weight = bias = 0.0

                def fit(self, points, lr):
                    loss = 0.0
                    for x, y in points:
                        error = self.weight * x + self.bias - y
                        loss += error**2
                        self.weight -= lr * error * x
                        self.bias -= lr * error
                    return loss
        """,
        "train.py": """
            from cluster.data import POINTS
            from trainables import Line

            def train(config, trial):
                from trainables.models import Line as again
                assert again is Line
                line = Line()
                for epoch in range(1, 10):
                    trial.report(step=epoch, loss=line.fit(POINTS, config["lr"]))
        """,
        "own.yaml": """
            trainable: train.py:train
            space: {lr: {loguniform: [1e-4, 1e-2]}}
            objective: {metric: loss}
            search: {method: random}
            budget: {trials: 6}
        """,
        "builtin.yaml": """
            trainable: linear
            fixed: {epochs: 9}
            space: {lr: {loguniform: [1e-4, 1e-3]}}
            objective: {metric: loss}
            budget: {trials: 6}
        """,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return tmp_path


def test_content(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert "cluster/launchers/slurm.sh" in names
    page = {name for name in names if name.startswith("orchestrator/analysis/report/files/")}
    assert {Path(name).name for name in page} >= {"d3.min.js", "d3.LICENSE", "report.html.j2", "report.css"}
    starter = {name.removeprefix("orchestrator/cli/starter/") for name in names if "/cli/starter/" in name}
    assert starter == {f"{kind}/{name}" for kind in ("full", "minimal") for name in ("sweep.yaml", "train.py")}
    page |= {name for name in names if "/cli/starter/" in name}
    assert all(name.endswith((".py", "/py.typed", ".sh")) or ".dist-info/" in name for name in set(names) - page)


def test_answers(binaries: Path, tmp_path: Path) -> None:
    assert run(binaries / "sweep", "--version", cwd=tmp_path).startswith("sweep ")
    assert "launch" in run(binaries / "sweep", "--help", cwd=tmp_path)
    files = run(
        binaries / "python",
        "-c",
        "import orchestrator, trainables, cluster; print(orchestrator.__file__, trainables.__file__, cluster.__file__)",
        cwd=tmp_path,
    )
    assert all(Path(file).is_relative_to(binaries.parent) for file in files.split())


@pytest.mark.parametrize("spec", ["own.yaml", "builtin.yaml"])
def test_launches_in_a_project_that_has_our_names(binaries: Path, project: Path, spec: str) -> None:
    run(binaries / "sweep", "launch", spec, "--cpus", "2", cwd=project)
    (sweep,) = (project / "results").iterdir()
    trials = pd.read_parquet(sweep / "trials.parquet")
    assert len(trials) == 6
    assert set(trials["state"]) <= {"completed", "stopped"}, trials["error_message"].dropna().tolist()
