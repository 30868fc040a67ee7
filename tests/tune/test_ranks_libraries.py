"""Lightning and the Trainer of Hugging Face with ranks: all make the same reports, stop together, and are restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.local.embedded import embedded
from orchestrator.core.rows import State
from orchestrator.records.load import Sweep

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]

LIBRARIES = Path(__file__).parents[1] / "trainables" / "libraries"
PROGRAMS = {
    "autoencoder": ("val_loss", 'devices=2, strategy="ddp"'),
    "classifier": ("eval_loss", 'output_dir=trial.directory / "output", seed=0'),
}
RANKS = """

def ranks(config, trial):
    import signal
    import torch

    report = trial.report

    def noted(*, step, **metrics):
        with open(trial.directory / f"{{trial.rank}}.steps", "a") as steps:
            print(step, file=steps)
        if step == 3 and trial.rank == 1 and config["fails"] and trial.restore() is None:
            os.kill(os.getpid(), signal.SIGKILL)
        report(step=step, score=config["score"], **metrics)

    trial.report = noted
    torch.manual_seed(0)
    train(config, trial, {options})
"""


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    with embedded(cpus=2, gpus=0):
        yield


@pytest.mark.parametrize("program", PROGRAMS)
def test_ranks_report_stop_and_are_restored_together(program: str, sweep_of: Callable[..., Sweep]) -> None:
    metric, options = PROGRAMS[program]
    configs = [{"score": 2, "fails": False}, {"score": 1, "fails": True}, {"score": 3, "fails": False}]
    sweep = sweep_of(
        (LIBRARIES / f"{program}.py").read_text() + RANKS.format(options=options),
        trainable="train.py:ranks",
        fixed={"epochs": 4, "step": "epoch", "lr": 0.01},
        space={},
        search={"method": "list", "configs": configs},
        objective={"metric": "score"},
        scheduler={"method": "asha", "variant": "stop", "grace_period": 2, "reduction_factor": 2, "max": 4},
        budget={"trials": len(configs)},
        resources={"workers": 2, "cpu": 1, "concurrency": 1},
        trial={"retries": 1, "save_every": 0.1},
    )
    assert sweep.trials["state"].tolist() == [State.COMPLETED, State.COMPLETED, State.STOPPED]
    steps = [[(sweep.paths.trial(trial) / f"{rank}.steps").read_text() for rank in range(2)] for trial in range(3)]
    assert steps[0] == ["1\n2\n3\n4\n"] * 2
    assert steps[2] == ["1\n2\n"] * 2
    assert sweep.trials["attempts"].tolist() == [1, 2, 1]
    whole, parts = (sweep.metrics[sweep.metrics["trial"] == trial] for trial in range(2))
    assert parts["step"].tolist() == [1, 2, 3, 4]
    assert parts[metric].tolist() == pytest.approx(whole[metric].tolist(), rel=1e-6)
    assert whole[metric].nunique() == 4
