"""What a trial sets before it starts a trainer of Ray Train, and a Ray without the names; without Ray's processes."""

from __future__ import annotations

import os

import pytest
import ray
from ray.train.v2._internal import constants
from ray.train.v2._internal.callbacks import placement_group_callback
from ray.train.v2._internal.execution.callback import RayTrainCallback
from ray.train.v2.api import data_parallel_trainer as trainers

from cluster.errors import UnsupportedRayError
from cluster.ray_private import names
from cluster.ray_private.names import Family
from cluster.ray_private.trainer_placement import Trainers, look_after_trainers, prepare_trainers
from cluster.ray_private.trainer_reports import TrainerReports
from tests.ray_private.test_without import hide


@pytest.fixture(autouse=True)
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's own, which a trial of another test in this process may have replaced."""
    for module, name in (
        (placement_group_callback, "PlacementGroupCleanerCallback"),
        (constants, "get_env_vars_to_propagate"),
    ):
        monkeypatch.setattr(trainers, name, getattr(module, name))
    monkeypatch.setenv("PYTHONPATH", "/theirs")


def test_trainers_import_from_the_project_and_start_no_cleaner() -> None:
    for _ in range(2):  # as in a process that runs several trials
        prepare_trainers("/project")
    assert trainers.get_env_vars_to_propagate()["PYTHONPATH"] == f"/project{os.pathsep}/theirs"
    callback = trainers.PlacementGroupCleanerCallback()
    assert isinstance(callback, RayTrainCallback)
    assert not isinstance(callback, placement_group_callback.PlacementGroupCleanerCallback)


@pytest.mark.parametrize("missing", [names.TRAINER_CLEANERS, names.TRAINER_GROUPS])
def test_where_groups_are_not_given_back_ray_s_cleaner_stays(missing: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(missing.names, monkeypatch)
    prepare_trainers("/project")
    assert trainers.PlacementGroupCleanerCallback is placement_group_callback.PlacementGroupCleanerCallback
    if missing is names.TRAINER_GROUPS:
        assert look_after_trainers() == Trainers()


def test_looking_after_trainers_starts_no_ray() -> None:
    assert not ray.is_initialized()
    assert look_after_trainers() == Trainers()
    assert not ray.is_initialized()


def test_where_the_path_cannot_be_set_trainers_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(names.TRAINER_PATH.names, monkeypatch)
    prepare_trainers("/project")
    assert "PYTHONPATH" not in trainers.get_env_vars_to_propagate()


def test_without_its_names_the_callback_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(names.TRAINER_REPORTS.names, monkeypatch)
    with pytest.raises(UnsupportedRayError, match=r"^Ray .* does not allow training a TorchTrainer.*supported is Ray"):
        TrainerReports(lambda _: None)
