"""Trains supervised models: takes data, a model, an optimizer and a task, and reports after every epoch.

The data fits in memory, so it is kept on the device as tensors, and a batch is an index into them: no DataLoader.
Everything that an epoch changes is in :class:`Training`, and the order of the data is drawn at the start of an epoch,
so that a checkpoint between two epochs saves one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trainables.contract import Trial
from trainables.tasks import Task

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

Precision = Literal["float32", "bfloat16", "float16"]

ROWS_AT_ONCE = 16_384  # per forward pass of an evaluation: bounds its memory


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Examples: ``inputs`` [examples, …] as the model takes them, ``targets`` [examples] as the task does."""

    inputs: Tensor
    targets: Tensor

    def to(self, device: str) -> Examples:
        """The same examples on that device."""
        return Examples(inputs=self.inputs.to(device), targets=self.targets.to(device))


class Training:
    """One model being trained: what an epoch changes, and how to run one.

    Args:
        model: Maps inputs [examples, …] to outputs [examples, task.outputs]; on the device to train on.
        optimizer: Updates the parameters of the model.
        task: The loss and the scores.
        train, validation: The examples, on the same device.
        batch_size: Examples per update; the last batch of an epoch may be smaller.
        seed: The seed of the order of the examples.
        precision: bfloat16 and float16 run the forward pass under autocast; float16 also scales the loss
            (Micikevicius et al. 2018, Mixed Precision Training, section 3.2).

    Attributes:
        epoch: Epochs completed.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        optimizer: optim.Optimizer,
        task: Task,
        train: Examples,
        validation: Examples,
        batch_size: int,
        seed: int,
        precision: Precision = "float32",
    ) -> None:
        import torch

        device = train.inputs.device
        self.model = model
        self.optimizer = optimizer
        self.task = task
        self.train = train
        self.validation = validation
        self.batch_size = batch_size
        self.epoch = 0
        self.order = torch.Generator().manual_seed(seed)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
        self.autocast = torch.autocast(device.type, dtype=getattr(torch, precision), enabled=precision != "float32")

    def run_epoch(self) -> None:
        """Train on every example once, in a new order."""
        import torch

        self.model.train()
        inputs, targets = self.train.inputs, self.train.targets
        order = torch.randperm(len(targets), generator=self.order).to(targets.device)
        for rows in order.split(self.batch_size):
            with self.autocast:
                outputs = self.model(inputs[rows])
            loss = self.task.loss(outputs.float(), targets[rows])
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.epoch += 1

    def state_dict(self) -> dict[str, Any]:
        """Everything that an epoch changes."""
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "order": self.order.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that :meth:`state_dict` returned."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.order.set_state(state["order"])

    def predict(self, inputs: Tensor) -> Tensor:
        """The outputs of the model in evaluation mode: float32 [examples, task.outputs]."""
        with self.autocast:
            return predict(self.model, inputs)

    def scores(self) -> dict[str, float]:
        """``train_loss``, ``val_loss`` and the scores of the task on both sets, in evaluation mode.

        Both sets are scored after the epoch and without dropout, so that the gap between them is overfitting and
        nothing else. A loss that is not finite is returned as it is.
        """
        scores: dict[str, float] = {}
        for prefix, examples in (("train", self.train), ("val", self.validation)):
            scores |= _scored(prefix, self.task, self.predict(examples.inputs), examples.targets)
        return scores


def fit(training: Training, trial: Trial, *, epochs: int) -> None:
    """Train for ``epochs`` epochs; save and report the scores after each. The first epoch is step 1.

    An interrupted trial continues from its checkpoint.

    Raises:
        TrialEnded: The trial must end.
    """
    restored = trial.restore()
    if restored is not None:
        training.load_state_dict(restored["training"])
    while training.epoch < epochs:
        training.run_epoch()
        scores = training.scores()
        trial.save(step=training.epoch, training=training)
        trial.report(step=training.epoch, **scores)


def evaluate(model: nn.Module, trial: Trial, *, task: Task, test: Examples) -> dict[str, float]:
    """``test_loss`` and the scores of the task, of a model that :func:`fit` has trained, in float32.

    Args:
        model: A model like that of the training; the restored state is loaded into it.
        trial: Restores from the checkpoint to score.
        task: The task of the training.
        test: Examples that the training has not seen, on the device of the model.

    Raises:
        ValueError: The trial has no checkpoint.
    """
    restored = trial.restore()
    if restored is None:
        raise ValueError("there is no checkpoint to evaluate")
    model.load_state_dict(restored["training"]["model"])
    return _scored("test", task, predict(model, test.inputs), test.targets)


def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The outputs of a model in evaluation mode: float32 [examples, outputs]."""
    import torch

    model.eval()
    with torch.inference_mode():
        return torch.cat([model(rows).float() for rows in inputs.split(ROWS_AT_ONCE)])


def _scored(prefix: str, task: Task, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    scores = {f"{prefix}_{name}": value for name, value in task.scores(outputs, targets).items()}
    return {f"{prefix}_loss": float(task.loss(outputs, targets))} | scores
