"""The churn example by Optuna's documentation: `python -m benchmarks.peers.optuna_tabular`.

Two processes share a study through a journal.
"""

import subprocess
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

from benchmarks.peers import tabular
from benchmarks.peers.tabular import Job, read_job

STUDY = "churn"
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def storage() -> JournalStorage:
    """The study's journal, in the working directory."""
    return JournalStorage(JournalFileBackend("journal.log"))


def objective(trial: optuna.Trial, job: Job) -> float:
    """Train one trial."""
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("batch_size", [32, 64, 128, 256])
    layers = trial.suggest_int("layers", 1, 4)
    trial.suggest_int("width", 16, min(256, 512 // layers), log=True)
    trial.suggest_categorical("activation", ["relu", "gelu", "tanh"])
    trial.suggest_float("dropout", 0.0, 0.6)
    trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True)
    if trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.99)
    seen: list[float] = []

    def report(epoch: int, value: float) -> None:
        seen.append(value)
        trial.report(value, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    tabular.train(job, trial.params, scores=tabular.SCORES, report=report)
    return job.best(*seen)


def work(job: Job) -> None:
    """Run trials in one process."""
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=tabular.GRACE, reduction_factor=tabular.FACTOR)
    study = optuna.load_study(study_name=STUDY, storage=storage(), pruner=pruner)
    enough = MaxTrialsCallback(len(job.configurations), states=ENDED)
    study.optimize(lambda trial: objective(trial, job), callbacks=[enough])


if __name__ == "__main__":
    job = read_job()
    if "worker" in sys.argv:
        work(job)
    else:
        study = optuna.create_study(study_name=STUDY, storage=storage(), direction="maximize")
        for configuration in job.configurations:
            study.enqueue_trial(dict(configuration))
        command = [sys.executable, "-m", "benchmarks.peers.optuna_tabular", "worker"]
        for process in [subprocess.Popen(command) for _ in range(2)]:
            process.wait()
