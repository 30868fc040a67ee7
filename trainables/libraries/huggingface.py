"""A callback that makes a training of Hugging Face's Trainer a trial.

sweep = SweepCallback(trial)
trainer = Trainer(model, args, train_dataset=..., callbacks=[sweep])
trainer.train(resume_from_checkpoint=sweep.checkpoint)
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from trainables.libraries.logged import StepUnit, checked, metrics_of
from trainables.trial import Trial

IGNORED = ("_runtime", "_per_second")
"""Ends of the names of what the Trainer logs about its own speed."""


class SweepCallback(TrainerCallback):
    """Reports what the Trainer logs, saves the checkpoints that it writes, and ends it when the trial must end.

    The losses of the training and the evaluation of one step are one report, after the step's checkpoint. Checkpoints
    come as ``save_strategy`` says; with ``step="epoch"`` log, evaluate and save by "epoch", so that the trial can be
    paused at any rung.

    With several ranks, all make the same reports and end in the same one; ``output_dir`` is the same for all of them.
    """

    def __init__(self, trial: Trial, *, step: StepUnit = "epoch") -> None:
        """Begin.

        Args:
            trial: The trial that the training is.
            step: What the sweep counts: "epoch", from 1, or "global_step", the steps of the optimizer.

        Raises:
            ValueError: There is no such step.
        """
        self._trial = trial
        self._unit = checked(step)
        self._logged: dict[str, Any] = {}  # since the last report
        self._ended_epoch = 0  # the epoch that has just ended; 0: one is being trained

    @cached_property
    def checkpoint(self) -> str | None:
        """The checkpoint from which an interrupted trial continues, for ``trainer.train``; None: from the beginning."""
        restored = self._trial.restore()
        return None if restored is None else str(restored["path"])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Take what was logged, but for the summary of the whole training."""
        if logs and "train_runtime" not in logs:
            names = [name for name in logs if not name.endswith(IGNORED) and name != "epoch"]
            self._logged.update(metrics_of({name: logs[name] for name in names}))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the epoch; its evaluation and checkpoint follow."""
        self._ended_epoch = math.ceil(state.epoch - 1e-6)  # the last one may be cut short by max_steps

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Save the checkpoint, which comes last of a step, and report."""
        args.distributed_state.wait_for_everyone()  # each rank writes its random state into the checkpoint
        if state.is_world_process_zero:
            epoch = self._ended_epoch or math.floor(state.epoch + 1e-6)
            step = epoch if self._unit == "epoch" else state.global_step
            path = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
            self._trial.save(step=step, path=path)
        self._report(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Report the step before."""
        self._report(state)
        self._ended_epoch = 0

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Report the last step."""
        self._report(state)

    def _report(self, state: Any) -> None:
        if not self._logged or (self._unit == "epoch" and not self._ended_epoch):
            return
        logged, self._logged = self._logged, {}
        self._trial.report(step=self._ended_epoch if self._unit == "epoch" else state.global_step, **logged)
