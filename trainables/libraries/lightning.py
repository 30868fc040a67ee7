"""A callback that makes a Lightning training a trial.

sweep = SweepCallback(trial)
trainer = Trainer(callbacks=[sweep], max_epochs=config["epochs"])
trainer.fit(model, ckpt_path=sweep.ckpt_path)
"""

from __future__ import annotations

import sys
import uuid
from functools import cached_property
from pathlib import Path
from typing import Any

from trainables.checkpoints.saved_files import remove
from trainables.libraries.logged import StepUnit, checked, metrics_of
from trainables.report import as_number
from trainables.trial import Trial

if "pytorch_lightning" in sys.modules and "lightning" not in sys.modules:  # two names, whose classes differ
    from pytorch_lightning.callbacks import Checkpoint
else:
    from lightning.pytorch.callbacks import Checkpoint

WRITTEN = ".lightning-"
"""Begins the name of the directory, in the trial's own, in which Lightning writes a checkpoint."""


class SweepCallback(Checkpoint):
    """Reports what a module logs, saves the trainer's checkpoint, and ends the training when the trial must end.

    After each epoch it reports the values that ``self.log`` was given since the last report, of the training and of the
    validation together. With ``step="global_step"`` it also reports after each validation within an epoch. Lightning's
    sanity check is not reported. Each report is preceded by a checkpoint, so the trial can be paused at any rung.

    With several ranks, the values that rank 0 has are reported, and all ranks end in the same report.

    It takes the place of the checkpoint that Lightning writes by default; a ``ModelCheckpoint`` of your own stays.
    """

    def __init__(self, trial: Trial, *, step: StepUnit = "epoch", save: bool = True) -> None:
        """Begin.

        Args:
            trial: The trial that the training is.
            step: What the sweep counts: "epoch", from 1, or "global_step", the steps of the optimizers.
            save: Whether to save checkpoints.

        Raises:
            ValueError: There is no such step.
        """
        super().__init__()
        self._trial = trial
        self._unit = checked(step)
        self._saves = save
        self._seen: dict[str, Any] = {}  # the values that were logged by the last look
        self._fresh: dict[str, Any] = {}  # those that were logged since the last report

    @cached_property
    def ckpt_path(self) -> str | None:
        """The checkpoint from which an interrupted trial continues, for ``trainer.fit``; None: from the beginning."""
        restored = self._trial.restore()
        return None if restored is None else str(restored["path"])

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Set the random generators as they were, now that the model and the data are made."""
        if trainer.is_global_zero:
            for left in Path(self._trial.directory).glob(f"{WRITTEN}*"):  # by an attempt that was killed
                remove(left)
        if self.ckpt_path is None:
            return
        if trainer.ckpt_path is None:
            print(
                "the trial was interrupted, and begins again: pass its checkpoint on, as in"
                " trainer.fit(model, ckpt_path=callback.ckpt_path)",
                file=sys.stderr,
            )
            return
        self._trial.restore()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Forget what the last epoch has logged since its report, which is the same again."""
        self._seen = dict(trainer.callback_metrics)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Take what the training has logged."""
        self._look(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take what the validation has logged, and report it unless the epoch ends here as well."""
        self._look(trainer)
        if self._unit == "global_step" and self._counts(trainer) and not trainer.is_last_batch:
            self._report(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report the epoch. As a checkpoint's, this hook comes after those of the module."""
        self._look(trainer)
        self._report(trainer)

    def _counts(self, trainer: Any) -> bool:
        return trainer.state.fn == "fit" and not trainer.sanity_checking

    def _look(self, trainer: Any) -> None:
        """Take the values that are new; Lightning keeps old ones, of an earlier validation, under their names."""
        if not self._counts(trainer):
            return
        now = dict(trainer.callback_metrics)
        self._fresh.update({name: value for name, value in now.items() if self._seen.get(name) is not value})
        self._seen = now

    def _report(self, trainer: Any) -> None:
        step = trainer.current_epoch + 1 if self._unit == "epoch" else trainer.global_step
        logged, self._fresh = self._fresh, {}
        # "loss_step" and "loss_epoch" are "loss", logged on_step and on_epoch
        forks = {f"{name}{fork}" for name in logged for fork in ("_step", "_epoch")}
        metrics = metrics_of({name: value for name, value in logged.items() if name not in forks})
        if self._saves:
            self._save(trainer, step)
        if metrics := trainer.strategy.broadcast({name: as_number(value) for name, value in metrics.items()}):
            self._trial.report(step=step, **metrics)

    def _save(self, trainer: Any, step: int) -> None:
        name = trainer.strategy.broadcast(f"{WRITTEN}{uuid.uuid4().hex[:8]}")  # all ranks may write into it
        directory = Path(self._trial.directory) / name
        written = directory / f"{self._unit}={step}.ckpt"
        try:
            trainer.save_checkpoint(written, weights_only=False)  # by all processes
            if trainer.is_global_zero:
                self._trial.save(step=step, path=written)
        finally:
            if trainer.is_global_zero:
                remove(directory)
