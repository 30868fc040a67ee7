"""Losses and scores agree with scikit-learn, and undefined ones never crash."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from trainables.supervised.tasks import Task, TaskName, area

BINARY = Task(name="binary")
THREE = Task(name="multiclass", outputs=3)
REGRESSION = Task(name="regression", scale=10.0)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=40))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_area_is_scikit_learns_with_ties(examples: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in examples], dtype=float)
    positive = np.array([is_positive for _, is_positive in examples])
    if positive.all() or not positive.any():
        return
    assert area(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_binary_is_scored_like_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    targets = rng.random(500) < 0.3
    logits = torch.from_numpy(rng.normal(size=(500, 1)) + targets[:, None]).float()
    wanted = torch.from_numpy(targets.astype(np.float32))

    scores = BINARY.scores(logits, wanted)

    probabilities = logits.sigmoid()[:, 0].double().numpy()
    assert scores["accuracy"] == pytest.approx(accuracy_score(targets, probabilities > 0.5))
    assert scores["auroc"] == pytest.approx(roc_auc_score(targets, probabilities))
    assert float(BINARY.loss(logits, wanted)) == pytest.approx(log_loss(targets, probabilities), rel=1e-5)


def test_multiclass_is_scored_like_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 400)
    logits = torch.from_numpy(rng.normal(size=(400, 3)) + np.eye(3)[targets])
    wanted = torch.from_numpy(targets)

    scores = THREE.scores(logits, wanted)

    probabilities = logits.softmax(dim=1).numpy()
    assert scores["accuracy"] == pytest.approx(accuracy_score(targets, probabilities.argmax(axis=1)))
    assert scores["auroc"] == pytest.approx(roc_auc_score(targets, probabilities, multi_class="ovr"))
    assert float(THREE.loss(logits, wanted)) == pytest.approx(log_loss(targets, probabilities))


def test_regression_is_scored_like_scikit_learn_in_the_targets_units() -> None:
    rng = np.random.default_rng(2)
    targets = rng.normal(size=300).astype(np.float32)
    outputs = torch.from_numpy(rng.normal(size=(300, 1)).astype(np.float32) * 0.1 + targets[:, None])

    scores = REGRESSION.scores(outputs, torch.from_numpy(targets))

    guess = outputs[:, 0].numpy()
    assert scores["rmse"] == pytest.approx(root_mean_squared_error(targets * 10, guess * 10), rel=1e-5)
    assert scores["r2"] == pytest.approx(r2_score(targets, guess), rel=1e-5)


@pytest.mark.parametrize("task", [BINARY, THREE, REGRESSION], ids=lambda task: task.name)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_outputs_that_are_not_finite_score_nan(task: Task, value: float) -> None:
    outputs = torch.zeros(4, task.outputs)
    outputs[1, 0] = value
    targets = torch.tensor([0, 1, 0, 1], dtype=torch.int64 if task.name == "multiclass" else torch.float32)

    scores = task.scores(outputs, targets)

    assert len(scores) == 2
    assert all(math.isnan(score) for score in scores.values())


@pytest.mark.parametrize(
    ("name", "targets", "left"),
    [
        ("binary", torch.ones(3), {"accuracy"}),
        ("multiclass", torch.ones(3, dtype=torch.int64), {"accuracy"}),
        ("regression", torch.ones(3), {"rmse"}),
    ],
)
def test_what_the_targets_leave_undefined_is_left_out(name: TaskName, targets: torch.Tensor, left: set[str]) -> None:
    task = Task(name=name, outputs=3 if name == "multiclass" else 1)
    assert task.scores(torch.zeros(3, task.outputs), targets).keys() == left


def test_a_class_that_is_not_there_does_not_count_in_the_mean_area() -> None:
    logits = torch.tensor([[2.0, 0.0, 0.0], [1.0, 3.0, 0.0], [3.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    targets = torch.tensor([0, 1, 0, 1])
    probabilities = logits.softmax(dim=1).double().numpy()
    of_two = [roc_auc_score(targets == number, probabilities[:, number]) for number in (0, 1)]
    assert THREE.scores(logits, targets)["auroc"] == pytest.approx(sum(of_two) / 2)
