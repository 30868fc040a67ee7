"""Trials through Ray, each in a forked process: libraries that serve one trial a process, and what cannot be forked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.records.load import Sweep

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]

LIBRARIES = {
    "hydra": """
        from hydra import compose, initialize
        def train(config, trial):
            initialize(version_base=None, config_path=None)
            compose(overrides=[f"+lr={config['x']}"])
            trial.report(step=1, loss=config["x"])
    """,
    "absl": """
        from absl import flags
        def train(config, trial):
            flags.DEFINE_float("lr", 0.1, "learning rate")
            flags.FLAGS(["train", f"--lr={config['x']}"])
            trial.report(step=1, loss=flags.FLAGS.lr)
    """,
    "wandb": """
        import os
        os.environ["WANDB_MODE"] = "offline"
        os.environ["WANDB_SILENT"] = "true"
        def train(config, trial):
            import wandb
            with wandb.init(project="p", dir=str(trial.directory), config=dict(config)) as run:
                run.log({"loss": config["x"]})
                trial.report(step=1, loss=config["x"])
    """,
    "joblib": """
        from joblib import Parallel, delayed
        def train(config, trial):
            total = sum(Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(4)))
            trial.report(step=1, loss=config["x"] + total - 6)
    """,
    "persistent data loader": """
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        loaders = []
        def train(config, trial):
            if not loaders:
                data = TensorDataset(torch.arange(8.0))
                loaders.append(DataLoader(data, num_workers=1, persistent_workers=True))
            total = sum(float(batch) for (batch,) in loaders[0])
            trial.report(step=1, loss=config["x"] + total - 28)
    """,
    "scikit-learn": """
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.datasets import load_iris
        data = load_iris()
        def train(config, trial):
            RandomForestClassifier(n_estimators=4, n_jobs=2).fit(data.data, data.target)
            trial.report(step=1, loss=config["x"])
    """,
    "pandas": """
        import io
        import pandas as pd
        table = pd.read_csv(io.StringIO("a,b\\n1,2"), engine="pyarrow")
        def train(config, trial):
            table.to_parquet(trial.directory / "table.parquet")
            trial.report(step=1, loss=config["x"] + pd.read_parquet(trial.directory / "table.parquet")["a"].sum() - 1)
    """,
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_serves_every_trial(library: str, sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(LIBRARIES[library])
    assert set(sweep.trials["state"]) == {"completed"}, sweep.trials["error_message"].tolist()
    assert sweep.trials["objective"].tolist() == pytest.approx(sweep.trials["config.x"].tolist())
    assert not (sweep.events["event"] == "note").any()


def test_nothing_passes_from_a_trial_to_the_next(sweep_of: Callable[..., Sweep]) -> None:
    sweep = sweep_of(
        """
        import torch
        torch.set_float32_matmul_precision("high")
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def train(config, trial):
            assert torch.get_float32_matmul_precision() == "high"
            torch.set_float32_matmul_precision("highest")
            config["layers"].append(1)
            for step in range(1, 4):
                loss = (model(torch.ones(4, 2)) - 1).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                trial.report(step=step, loss=loss, layers=len(config["layers"]))
        """,
        fixed={"layers": [64, 64]},
    )
    assert len(sweep.trials) == 4
    assert sweep.metrics.groupby("step")["loss"].nunique().tolist() == [1, 1, 1]
    assert set(sweep.metrics["layers"]) == {3}


USES_RAY = """
    import ray
    def train(config, trial):
        trial.report(step=1, loss=ray.get(ray.put(config["x"])))
"""
STARTS_A_THREAD = """
    import os, threading
    threading.Thread(target=threading.Event().wait, name="mine", daemon=True).start()
    def train(config, trial):
        trial.report(step=1, loss=config["x"], pid=os.getpid())
"""


@pytest.mark.parametrize(
    ("train", "why"),
    [(USES_RAY, "the trainable uses Ray"), (STARTS_A_THREAD, "importing train.py starts a thread (mine)")],
)
def test_what_cannot_be_forked_gets_new_processes_and_the_records_say_so(
    train: str, why: str, sweep_of: Callable[..., Sweep]
) -> None:
    sweep = sweep_of(train)
    assert set(sweep.trials["state"]) == {"completed"}, sweep.trials["error_message"].tolist()
    notes = sweep.events.loc[sweep.events["event"] == "note", "reason"].tolist()
    assert [note for note in notes if why in note] == notes
    assert len(notes) == 1
    assert not list(sweep.paths.log(0).parent.glob("*.log"))  # nothing of a first try
    if "pid" in sweep.metrics:
        assert sweep.metrics["pid"].nunique() == len(sweep.trials)


@pytest.mark.parametrize("isolation", ["reuse", "process", "fork"])
def test_isolation_can_be_chosen(isolation: Any, sweep_of: Callable[..., Sweep], tmp_path: Path) -> None:
    sweep = sweep_of(
        """
        import os
        def train(config, trial):
            trial.report(step=1, loss=config["x"], pid=os.getpid())
        """,
        trial={"isolation": isolation},
    )
    assert (sweep.metrics["pid"].nunique() == len(sweep.trials)) == (isolation != "reuse")
