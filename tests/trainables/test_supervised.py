"""Supervised training: epochs, order of examples, the recipe, and failures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trainables.configuration import complete
from trainables.evaluation import Restoring
from trainables.report import Report
from trainables.supervised import Subset, Task, Tensors, evaluate, fit, recipe
from trainables.supervised.averaging import Averaged
from trainables.supervised.examples import in_batches, sample
from trainables.supervised.frozen import frozen_names, load, without
from trainables.supervised.recipe import make_optimizer
from trainables.supervised.schedule import SCHEDULES, ScheduleName, lr_factor
from trainables.supervised.training import Training
from trainables.trial import Trial, TrialEnded


def configured(**config: Any) -> dict[str, Any]:
    usual = {"lr": 0.1, "batch_size": 8, "optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "epochs": 30}
    return complete(usual | config, recipe())


def problem(rows: int = 50) -> tuple[Tensors, Tensors]:
    """A linear regression with two inputs, which 30 epochs learn: the training and the validation part."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows + 20, 2, generator=generator)
    targets = inputs @ torch.tensor([1.0, -2.0]) + 0.5
    whole = slice(None, rows), slice(rows, None)
    train, validation = (Tensors(inputs=inputs[part], targets=targets[part]) for part in whole)
    return train, validation


def build(_: Any) -> nn.Module:
    return nn.Linear(2, 1)


def run(trial: Trial | None = None, *, model: Any = build, rows: int = 50, **config: Any) -> list[Report]:
    trial = trial or Trial(config={}, device="cpu")
    train, validation = problem(rows)
    fit(configured(**config), trial, build=model, task=Task(name="regression"), train=train, validation=validation)
    return trial.history


def training(model: nn.Module | None = None, **config: Any) -> Training:
    train, validation = problem()
    torch.manual_seed(0)
    model = model or nn.Linear(2, 1)
    return Training(model, configured(**config), task=Task(name="regression"), train=train, validation=validation)


# ---------------------------------------------------------------------------------------------------- the loop


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"precision": "bfloat16"},
        {"momentum": 0.5, "schedule": "cosine"},
        {"optimizer": "adam", "schedule": "one_cycle"},
        {"optimizer": "adamw", "warmup": 0.1, "clip": 1.0},
        {"optimizer": "nadamw", "ema": 0.9},
    ],
    ids=str,
)
def test_it_learns(config: dict[str, Any]) -> None:
    last = run(**config)[-1]
    assert last.step == 30
    assert last.metrics["val_r2"] > (0.99 if "precision" in config else 0.999)
    scores = {f"{part}_{score}" for part in ("train", "val") for score in ("loss", "rmse", "r2")}
    assert last.metrics.keys() == scores | {"grad_norm", "lr", "examples_per_s", "peak_memory_gb"}
    assert last.metrics["examples_per_s"] > 0
    assert 0.01 < last.metrics["peak_memory_gb"] < 100


def test_the_seed_is_that_of_the_trial() -> None:
    one, again, other = (run(Trial(config={}, seed=seed, device="cpu"), epochs=3) for seed in (1, 1, 2))
    assert one == again != other


def test_an_epoch_uses_every_row_once_in_an_order_of_its_own() -> None:
    class Memory(nn.Linear):
        seen: list[torch.Tensor]

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            if self.training:
                self.seen.append(rows)
            return super().forward(rows)

    model = Memory(2, 1)
    trained = training(model)
    orders = []
    for _ in range(2):
        model.seen = []
        trained.run_epoch()
        assert [len(batch) for batch in model.seen] == [8] * 6 + [2]
        orders.append(torch.cat(model.seen))
    rows = [sorted(map(tuple, order.tolist())) for order in (*orders, problem()[0].inputs)]
    assert rows[0] == rows[1] == rows[2]
    assert not torch.equal(*orders)


def test_scores_are_taken_without_dropout_and_change_nothing() -> None:
    trained = training(nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1)))
    assert trained.scores() == trained.scores()


def test_of_a_large_training_part_an_even_sample_is_scored() -> None:
    numbers = torch.arange(10_000.0)
    some = sample(Tensors(inputs=numbers, targets=numbers), 1_000)
    inputs, targets = some.batch(torch.arange(len(some)))
    assert len(some) == 1_000
    assert torch.equal(inputs, numbers[::10])
    assert torch.equal(inputs, targets)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_training_that_diverges_says_so_in_every_score(optimizer: str) -> None:
    reports = run(lr=1e6, optimizer=optimizer)
    assert len(reports) == 30
    scores = [value for name, value in reports[-1].metrics.items() if name.startswith(("train_", "val_"))]
    assert len(scores) == 6
    assert all(map(math.isnan, scores))


def test_the_end_of_the_trial_leaves_the_loop() -> None:
    seen: list[int] = []

    def end(report: Report) -> None:
        seen.append(report.step)
        if report.step == 2:
            raise TrialEnded

    with pytest.raises(TrialEnded):
        run(Trial(config={}, device="cpu", sink=end), epochs=5)
    assert seen == [1, 2]


def test_batch_norm_never_meets_a_batch_of_one() -> None:
    def normed(_: Any) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    assert len(run(model=normed, rows=49, epochs=2)) == 2  # six batches of eight, and one row
    assert len(run(model=normed, rows=50, batch_size=1_000, epochs=2)) == 2


@given(rows=st.integers(1, 60), size=st.integers(1, 60))
def test_batches_have_every_row_once(rows: int, size: int) -> None:
    batches = in_batches(torch.arange(rows), size)
    assert torch.equal(torch.cat(batches), torch.arange(rows))
    assert all(len(batch) in (size, size + 1) for batch in batches[:-1])
    assert len(batches) == 1 or size == 1 or min(map(len, batches)) > 1


# -------------------------------------------------------------------------------------------------- the recipe


def test_weights_decay_and_biases_and_norms_do_not() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    decayed, spared = make_optimizer(model, configured(weight_decay=0.1)).param_groups
    assert {tuple(each.shape) for each in decayed["params"]} == {(4, 2), (1, 4)}
    assert len(spared["params"]) == 4
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)


def test_what_is_frozen_is_not_trained() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
    model[0].requires_grad_(False)
    before = model[0].weight.clone(), model[1].weight.clone()
    training(model, weight_decay=0.1).run_epoch()
    assert torch.equal(before[0], model[0].weight)
    assert not torch.equal(before[1], model[1].weight)


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(updates=st.integers(1, 500), warmup=st.floats(0, 1))
def test_a_schedule_rises_and_falls_once_within_its_bounds(schedule: ScheduleName, updates: int, warmup: float) -> None:
    factors = [lr_factor(schedule, update, updates, warmup=warmup) for update in range(updates)]
    assert all(0 <= factor <= 1 for factor in factors)
    top = factors.index(max(factors))
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)


def test_schedules_by_their_values() -> None:
    def at(schedule: ScheduleName, warmup: float = 0.0) -> list[float]:
        return [round(lr_factor(schedule, update, 100, warmup=warmup), 3) for update in (0, 10, 30, 65, 99)]

    assert at("constant") == [1, 1, 1, 1, 1]
    assert at("constant", 0.2) == [0.048, 0.524, 1, 1, 1]
    assert at("cosine") == [1, 0.976, 0.794, 0.273, 0]
    assert at("cosine", 0.3) == [0.032, 0.355, 1, 0.5, 0.001]
    assert at("one_cycle") == [0.04, 0.28, 1, 0.5, 0.001]


def test_the_rate_is_set_for_each_update_and_the_last_is_reported() -> None:
    trained = training(schedule="cosine", epochs=2)
    first, second = (trained.run_epoch()["lr"] for _ in range(2))
    assert first == pytest.approx(0.1 * lr_factor("cosine", 6, 14))
    assert second == pytest.approx(0.1 * lr_factor("cosine", 13, 14))


def test_clipping_bounds_the_step_and_the_norm_is_that_before() -> None:
    model = nn.Linear(2, 1)
    trained = training(model, clip=1e-3, batch_size=50, lr=1.0)
    before = torch.cat([each.detach().flatten().clone() for each in model.parameters()])
    reported = trained.run_epoch()
    after = torch.cat([each.detach().flatten() for each in model.parameters()])
    assert reported["grad_norm"] > 0.1
    assert float((after - before).norm()) == pytest.approx(1e-3, rel=1e-3)


def test_patience_ends_a_training_that_no_longer_improves() -> None:
    assert len(run(patience=3, epochs=200, lr=0.3)) < 200
    assert len(run(patience=0, epochs=60, lr=0.3)) == 60


def test_labels_are_smoothed_in_training_only() -> None:
    task = Task(name="binary")
    certain, targets = torch.tensor([[9.0], [-9.0]]), torch.tensor([1.0, 0.0])
    assert task.loss(certain, targets) < 0.001
    assert task.loss(certain, targets, label_smoothing=0.1) == pytest.approx(0.45, abs=0.01)
    classes = Task(name="multiclass", outputs=3)
    sure, numbers = torch.eye(3) * 20, torch.arange(3)
    assert classes.loss(sure, numbers, label_smoothing=0.3) == pytest.approx(4.0, abs=0.01)


def test_the_average_forgets_the_first_weights_and_smooths_the_later_ones() -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(model[0].weight, 100.0)
    averaged = Averaged(model, decay=0.9)
    for update in range(200):
        nn.init.constant_(model[0].weight, float(update % 2))
        averaged.update(model)
    assert float(averaged.model[0].weight) == pytest.approx(0.5, abs=0.06)
    assert not any(each.requires_grad for each in averaged.model.parameters())
    again = Averaged(model, decay=0.9)
    again.load_state_dict(averaged.state_dict())
    for each in (averaged, again):
        each.update(model)
    assert torch.equal(averaged.model[0].weight, again.model[0].weight)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_weights_that_are_scored_are_those_that_are_evaluated(ema: float, tmp_path: Path) -> None:
    trial = Trial(config={}, device="cpu", directory=tmp_path)
    last = run(trial, epochs=3, ema=ema)[-1].metrics
    restored = Trial(config={}, device="cpu", checkpoints=Restoring(tmp_path / "checkpoints" / "last.pt"))
    _, validation = problem()
    scores = evaluate(configured(ema=ema), restored, build=build, task=Task(name="regression"), test=validation)
    assert scores == {f"test_{name}": last[f"val_{name}"] for name in ("loss", "rmse", "r2")}


def test_a_misspelt_default_of_the_recipe_is_an_error() -> None:
    with pytest.raises(ValueError, match="no hyperparameter learning_rate"):
        recipe(learning_rate=0.1)


# ------------------------------------------------------------------------------------------------- frozen weights


def half_frozen() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model[0].requires_grad_(False)
    return model


def test_what_is_frozen_stays_and_is_not_saved() -> None:
    trained = training(half_frozen(), ema=0.9)
    before = trained.model[0].weight.clone()
    trained.run_epoch()
    assert torch.equal(trained.model[0].weight, before)
    state = trained.state_dict()
    saved = {"1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked", "2.weight", "2.bias"}
    assert set(state["model"]) == set(state["averaged"]["model"]) == saved
    assert trained.averaged is not None
    assert trained.averaged.model[0].weight is trained.model[0].weight


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_half_frozen_model_is_resumed_and_evaluated(ema: float, tmp_path: Path) -> None:
    def end(report: Report) -> None:
        if report.step == 3:
            raise TrialEnded

    def build(_: Any) -> nn.Module:
        return half_frozen()

    whole = run(model=build, epochs=6, ema=ema)
    with pytest.raises(TrialEnded):
        run(Trial(config={}, device="cpu", directory=tmp_path, sink=end), model=build, epochs=6, ema=ema)
    resumed = run(Trial(config={}, device="cpu", directory=tmp_path), model=build, epochs=6, ema=ema)
    assert resumed == whole[resumed[0].step - 1 :]
    trial = Trial(config={}, device="cpu", directory=tmp_path)
    config = configured(epochs=6, ema=ema)
    _, validation = problem()
    scores = evaluate(config, trial, build=build, task=Task(name="regression"), test=validation)
    assert scores["test_loss"] == pytest.approx(whole[-1].metrics["val_loss"], rel=1e-5)


def test_anything_else_that_is_missing_is_an_error() -> None:
    model = half_frozen()
    state = without(frozen_names(model), model.state_dict())
    load(half_frozen(), state, frozen_names(model))
    del state["2.bias"]
    with pytest.raises(RuntimeError, match=r"2\.bias"):
        load(half_frozen(), state, frozen_names(model))


def test_a_subset_is_some_of_the_examples() -> None:
    train, _ = problem()
    rows = torch.tensor([7, 3, 40])
    some = Subset(examples=train, rows=rows)
    assert len(some) == 3
    inputs, targets = some.batch(torch.tensor([2, 0]))
    assert torch.equal(inputs, train.inputs[[40, 7]])
    assert torch.equal(targets, train.targets[[40, 7]])
