"""What a loaded sweep answers: values that print as the command line does, with data frames to compute with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.configuration import nested

if TYPE_CHECKING:
    import pandas as pd

    from orchestrator.analysis.compare.importance import Importance
    from orchestrator.records.paths import SweepPaths
    from orchestrator.records.provenance import SweepInfo


@dataclass(frozen=True, kw_only=True)
class BestTrial:
    """The best trial of a sweep.

    Attributes:
        trial: The trial's number.
        state: "completed", "stopped", "running", …: a stopped trial can be the best as well.
        objective: The trial's result: the best or the last value of the metric, as ``objective.at`` says.
        step: The step at which the metric had that value.
        config: The configuration that the trainable was given, fixed values included, declared defaults not.
        checkpoint: The file with the state by which the trial is judged; None if there is none. Read it with
            ``trainables.checkpoints.files.load(path)`` or, if the name ends in .pt, with ``torch.load``. If the trial
            has saved files of its own, by ``trial.save(path=…)``, the kept file or directory.
        no_checkpoint: Why there is no checkpoint; "" if there is one.
    """

    trial: int
    state: str
    objective: float
    step: int
    config: Mapping[str, Any]
    checkpoint: Path | None
    no_checkpoint: str = ""


def best_of(paths: SweepPaths, info: SweepInfo) -> BestTrial | None:
    """The best trial; None if no trial has a result.

    Raises:
        RecordsError: The records are damaged.
    """
    from orchestrator.analysis.summary.kept_checkpoint import kept_checkpoint
    from orchestrator.analysis.summary.ranking import best_trials, full_config
    from orchestrator.errors import UserError

    ranked = next(iter(best_trials(paths, info, 1)), None)
    if ranked is None:
        return None
    checkpoint, why = None, ""
    try:
        checkpoint = kept_checkpoint(paths, info, ranked).content
    except UserError as error:
        why = str(error)
    return BestTrial(
        trial=ranked.trial,
        state=ranked.state.value,
        objective=ranked.value,
        step=ranked.step,
        config=nested(full_config(info, ranked)),
        checkpoint=checkpoint,
        no_checkpoint=why,
    )


class ImportanceAnswer:
    """How much each hyperparameter matters. Prints as `sweep show --importance` does.

    Attributes:
        weights: A row per hyperparameter, the most important first: ``parameter``, ``share`` of the differences between
            trials that it explains (0 to 1), the ends ``low`` and ``high`` of a 90 % interval, and the ``trials`` that
            have it. Empty if nothing can be said; ``remarks`` say why.
        remarks: How the shares were found, and what they cannot say.
    """

    weights: pd.DataFrame
    remarks: tuple[str, ...]

    def __init__(self, text: str, weights: pd.DataFrame, found: Importance) -> None:
        self.weights = weights
        self.remarks = found.remarks()
        self._text = text

    def __repr__(self) -> str:
        return self._text


def importance_answer(paths: SweepPaths, info: SweepInfo) -> ImportanceAnswer:
    """Weigh the hyperparameters by the records.

    Raises:
        RecordsError: The records are damaged.
    """
    import pandas as pd

    from orchestrator.analysis.compare.importance import importance_in
    from orchestrator.analysis.summary.overview import objective_of
    from orchestrator.cli.views.importance import importance_rows, importance_text

    found = importance_in(paths, info)
    columns = ["parameter", "share", "low", "high", "trials"]
    weights = pd.DataFrame(importance_rows(found), columns=columns)
    return ImportanceAnswer(importance_text(paths.name, objective_of(info), found), weights, found)


class DiagnosisAnswer:
    """What the learning curves show, and what follows for the sweep. Prints as `sweep show --diagnosis` does.

    Attributes:
        trials: A row per trial that has reported and not failed: ``trial``, ``diagnosis`` (such as "overfitting") and
            ``diagnosis_reason``, a sentence with the figures.
        findings: A row per finding on the whole sweep, the most urgent first: ``subject``, ``sentence``, ``advice`` and
            ``urgent``.
    """

    trials: pd.DataFrame
    findings: pd.DataFrame

    def __init__(self, text: str, trials: pd.DataFrame, findings: pd.DataFrame) -> None:
        self.trials = trials
        self.findings = findings
        self._text = text

    def __repr__(self) -> str:
        return self._text


def diagnosis_answer(paths: SweepPaths, info: SweepInfo) -> DiagnosisAnswer:
    """Examine the curves in the records.

    Raises:
        RecordsError: The records are damaged.
    """
    import pandas as pd

    from orchestrator.analysis.diagnosis.diagnose import diagnose
    from orchestrator.cli.views.diagnosis import diagnosis_rows, diagnosis_text, finding_data

    found = diagnose(paths, info)
    trials = pd.DataFrame(diagnosis_rows(found), columns=["trial", "diagnosis", "diagnosis_reason"])
    rows = [finding_data(each) for each in found.findings]
    findings = pd.DataFrame(rows, columns=["subject", "sentence", "advice", "urgent"])
    return DiagnosisAnswer(diagnosis_text(paths.name, found), trials, findings)
