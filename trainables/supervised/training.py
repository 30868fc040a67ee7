"""The loop: trains a model on examples, and scores, saves and reports it after every epoch.

:func:`fit` is all that a trainable calls. Everything that an epoch changes is in :class:`Training`, and the order of
the examples is drawn at the start of an epoch, so that a checkpoint between two epochs saves one object.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from trainables.process.device import peak_memory_gb
from trainables.process.seeding import seed_all
from trainables.report import MEASURED
from trainables.supervised import lr_range
from trainables.supervised.averaging import Averaged
from trainables.supervised.examples import Examples, in_batches, in_order, sample
from trainables.supervised.frozen import frozen_names, load, without
from trainables.supervised.recipe import in_bfloat16, make_optimizer, with_defaults
from trainables.supervised.schedule import lr_factor
from trainables.supervised.tasks import LossAndScores
from trainables.trial import Trial, TrialEnded

if TYPE_CHECKING:
    from torch import Tensor, nn

TRAIN_SCORED = 1_000
"""So many training examples are scored at least, if there are as many."""

DIVERGED = 100.0
"""A training loss so many times that of the first batch (or 1, if that is more) is no result of a slow training."""

Build = Callable[[Mapping[str, Any]], "nn.Module"]


def fit(
    config: Mapping[str, Any],
    trial: Trial,
    *,
    build: Build,
    task: LossAndScores,
    train: Examples,
    validation: Examples,
    augment: Callable[[Tensor], Tensor] | None = None,
    scored_at_once: int | None = None,
) -> None:
    """Train ``config["epochs"]`` epochs; save and report after each. The first epoch is step 1.

    Reports ``train_loss``, ``val_loss`` and the scores of the task on both, ``grad_norm`` (the mean over the updates,
    before clipping), ``lr`` (of the last update), ``examples_per_s`` and ``peak_memory_gb``. On a CPU with the same
    number of threads, the same configuration and ``trial.seed`` give the same reports but for the last two. An
    interrupted trial continues from its checkpoint.

    Args:
        config: The values of :func:`trainables.supervised.recipe.recipe`, or its defaults, and what ``build`` reads.
        trial: The trial.
        build: Makes the model, which maps a batch of inputs to what the task takes.
        task: The loss and the scores.
        train, validation: The examples.
        augment: Changes the inputs of a batch at random, in training only.
        scored_at_once: Examples per forward pass when scoring. None: as in training.

    Raises:
        TrialEnded: The trial must end.
    """
    config = with_defaults(config)
    seed_all(trial.seed)  # a notebook does not seed the process, a sweep does
    training = Training(
        build(config).to(trial.device),
        config,
        task=task,
        train=train,
        validation=validation,
        seed=trial.seed,
        device=trial.device,
        augment=augment,
        scored_at_once=scored_at_once,
    )
    if (range_test := lr_range.asked()) is not None:
        range_test.run(training)
        raise TrialEnded
    restored = trial.restore()
    if restored is not None:
        training.load_state_dict(restored["training"])
    while training.epoch < config["epochs"] and not training.out_of_patience:
        reported = training.run_epoch()
        trial.save(step=training.epoch, training=training)
        trial.report(step=training.epoch, **reported)


def evaluate(
    config: Mapping[str, Any],
    trial: Trial,
    *,
    build: Build,
    task: LossAndScores,
    test: Examples,
    scored_at_once: int | None = None,
) -> dict[str, float]:
    """``test_loss`` and the scores of the task, of a model that :func:`fit` has trained, in float32.

    Args:
        config, build, task, scored_at_once: Those of the training.
        trial: Restores from the checkpoint to score.
        test: Examples that the training has not seen.

    Raises:
        ValueError: The trial has no checkpoint.
    """
    config = with_defaults(config)
    restored = trial.restore()
    if restored is None:
        raise ValueError("there is no checkpoint to evaluate")
    model = build(config).to(trial.device)
    state = restored["training"]
    load(model, state["averaged"]["model"] if "averaged" in state else state["model"], frozen_names(model))
    rows = scored_at_once or config["batch_size"]
    return {f"test_{name}": value for name, value in scores(model, task, test, rows).items()}


def metrics(*scored: str) -> tuple[str, ...]:
    """The names of what :func:`fit` reports, for ``declare``.

    Args:
        scored: The names of the scores of the task.
    """
    return (
        *(f"{part}_{score}" for part in ("train", "val") for score in ("loss", *scored)),
        "grad_norm",
        "lr",
        *sorted(MEASURED),
    )


class Training:
    """One model being trained: what an epoch changes, and how to run one.

    Attributes:
        epoch: Epochs completed.
    """

    def __init__(
        self,
        model: nn.Module,
        config: Mapping[str, Any],
        *,
        task: LossAndScores,
        train: Examples,
        validation: Examples,
        seed: int = 0,
        device: str = "cpu",
        augment: Callable[[Tensor], Tensor] | None = None,
        scored_at_once: int | None = None,
    ) -> None:
        """The arguments are those of :func:`fit`; ``seed`` is that of the order of the examples."""
        import torch

        self.model = model
        self.config = config
        self.task = task
        self.train = train
        self.validation = validation
        self.train_sample = sample(train, max(len(validation), TRAIN_SCORED))
        self.augment = augment
        self.scored_at_once = scored_at_once or config["batch_size"]
        self.device = device
        self.optimizer = make_optimizer(model, config)
        self.frozen = frozen_names(model)
        self.averaged = Averaged(model, decay=config["ema"]) if config["ema"] else None
        self.epoch = 0
        self.best_loss, self.best_epoch = math.inf, 0
        self.first_loss = math.nan
        self.order = torch.Generator().manual_seed(seed)
        kind = device.partition(":")[0]
        low = in_bfloat16(config["precision"], kind)
        self.autocast = torch.autocast(kind, dtype=torch.bfloat16) if low else nullcontext()

    @property
    def out_of_patience(self) -> bool:
        """Whether the validation loss has not improved for ``patience`` epochs."""
        patience: int = self.config["patience"]
        return 0 < patience <= self.epoch - self.best_epoch

    @property
    def scored_model(self) -> nn.Module:
        """The model to be scored: with the averaged weights if there are any."""
        return self.model if self.averaged is None else self.averaged.model

    def run_epoch(self) -> dict[str, float]:
        """Train on every example once, in a new order; returns what :func:`fit` reports."""
        import torch

        began = time.perf_counter()
        self.model.train()
        order = torch.randperm(len(self.train), generator=self.order)
        batches = in_batches(order, self.config["batch_size"])
        norms = [self.update(rows, self.lr(number, len(batches)))[1] for number, rows in enumerate(batches)]
        grad_norm = float(torch.stack(norms).mean())  # waits for the GPU
        examples_per_s = len(order) / (time.perf_counter() - began)
        self.epoch += 1
        scored = self.scores()
        if scored["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = scored["val_loss"], self.epoch
        return {
            **scored,
            "grad_norm": grad_norm,
            "lr": self.optimizer.param_groups[0]["lr"],
            "examples_per_s": examples_per_s,
            "peak_memory_gb": peak_memory_gb(self.device),
        }

    def lr(self, number: int, updates: int) -> float:
        """The learning rate of an update of this epoch, which has so many."""
        schedule, epochs = self.config["schedule"], self.config["epochs"]
        factor = lr_factor(schedule, self.epoch * updates + number, epochs * updates, warmup=self.config["warmup"])
        return float(self.config["lr"]) * factor

    def update(self, rows: Tensor, lr: float) -> tuple[Tensor, Tensor]:
        """Train on one batch; returns its loss before, and the norm of the gradient, both on the device."""
        from torch.nn.utils import clip_grad_norm_

        for group in self.optimizer.param_groups:
            group["lr"] = lr
        inputs, targets = self.train.batch(rows)
        if self.augment is not None:
            inputs = self.augment(inputs)
        smoothing = {"label_smoothing": self.config["label_smoothing"]} if self.config["label_smoothing"] else {}
        with self.autocast:
            outputs = self.model(inputs)
        loss = self.task.loss(outputs.float(), targets, **smoothing)
        if math.isnan(self.first_loss):
            self.first_loss = float(loss.detach())
        self.optimizer.zero_grad()
        loss.backward()
        norm = clip_grad_norm_(self.model.parameters(), self.config["clip"] or math.inf)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update(self.model)
        return loss.detach(), norm.detach()

    def scores(self) -> dict[str, float]:
        """``train_loss``, ``val_loss`` and the scores of the task on both parts.

        Both are scored after the epoch, by the same weights and without dropout, so that the gap between them is
        overfitting and nothing else. Of the training part, as many examples are scored as the validation part has, the
        same in every epoch and trial. Where the training has diverged, all are NaN.
        """
        found: dict[str, float] = {}
        for prefix, examples in (("train", self.train_sample), ("val", self.validation)):
            with self.autocast:
                scored = scores(self.scored_model, self.task, examples, self.scored_at_once)
            found |= {f"{prefix}_{name}": value for name, value in scored.items()}
        diverged = not found["train_loss"] <= DIVERGED * max(1.0, self.first_loss)
        return dict.fromkeys(found, math.nan) if diverged else found

    def state_dict(self) -> dict[str, Any]:
        """Everything that an epoch changes: of a model of which a part is frozen, the rest only."""
        averaged = {} if self.averaged is None else {"averaged": self.averaged.state_dict()}
        return averaged | {
            "epoch": self.epoch,
            "best": [self.best_loss, self.best_epoch],
            "first_loss": self.first_loss,
            "model": without(self.frozen, self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "order": self.order.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that :meth:`state_dict` returned."""
        self.epoch = state["epoch"]
        self.best_loss, self.best_epoch = state["best"]
        self.first_loss = state["first_loss"]
        load(self.model, state["model"], self.frozen)
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.order.set_state(state["order"])


def scores(model: nn.Module, task: LossAndScores, examples: Examples, rows_at_once: int) -> dict[str, float]:
    """The ``loss`` and the scores of a model on examples, in evaluation mode."""
    import torch

    model.eval()
    losses: dict[str, float] = {}
    kept: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode():
        for inputs, targets in in_order(examples, rows_at_once):
            outputs = model(inputs).float()
            found = {"loss": float(task.loss(outputs, targets))}
            if task.pooled:
                kept.append((outputs, targets))
            else:
                found |= task.scores(outputs, targets)
            for name, value in found.items():
                losses[name] = losses.get(name, 0.0) + value * len(targets) / len(examples)
    if task.pooled:
        losses |= task.scores(*(torch.cat(each) for each in zip(*kept, strict=True)))
    return losses
