"""The churn example by Optuna's documentation: `python -m benchmarks.peers.optuna_churn <data> <stamp> <threshold>`.

Two processes share a study through a journal.
"""

import subprocess
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

from benchmarks.peers import churn

STUDY = "churn"
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def storage() -> JournalStorage:
    """Beside what runs."""
    return JournalStorage(JournalFileBackend("journal.log"))


def objective(trial: optuna.Trial, data: str, stamp: str, threshold: float) -> float:
    """One trial."""
    churn.space(trial)
    best = 0.0

    def report(epoch: int, auroc: float) -> None:
        nonlocal best
        best = max(best, auroc)
        trial.report(auroc, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    churn.train(trial.params, data=data, stamp=stamp, threshold=threshold, report=report)
    return best


def work(data: str, stamp: str, threshold: float) -> None:
    """One process."""
    study = optuna.load_study(
        study_name=STUDY,
        storage=storage(),
        sampler=optuna.samplers.TPESampler(),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=churn.GRACE, reduction_factor=churn.FACTOR),
    )
    enough = MaxTrialsCallback(churn.TRIALS, states=ENDED)
    study.optimize(lambda trial: objective(trial, data, stamp, threshold), callbacks=[enough])


if __name__ == "__main__":
    data, stamp, threshold, *worker = sys.argv[1:]
    if worker:
        work(data, stamp, float(threshold))
    else:
        optuna.create_study(study_name=STUDY, storage=storage(), direction="maximize")
        command = [sys.executable, "-m", "benchmarks.peers.optuna_churn", data, stamp, threshold, "worker"]
        for process in [subprocess.Popen(command) for _ in range(2)]:
            process.wait()
