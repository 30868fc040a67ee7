"""What Ray Tune puts around trainables is taken off: values are bound, resources become those of the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ray import tune

from cluster.errors import UnsupportedRayError
from cluster.ray_private.tune_wrappers import asked_resources, unwrapped
from orchestrator.errors import TrainableError
from orchestrator.sites.asked_resources import with_asked_resources
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import shape_of
from orchestrator.spec.source import Source
from orchestrator.worker.messages import pack_function, unpack_function


def train(config: dict[str, Any], data: Any = None) -> Any:
    return config["x"], data


class Model(tune.Trainable):
    def setup(self, config: dict[str, Any], data: Any = None) -> None:
        self.got = config["x"], data


def test_values_of_a_function_arrive_in_other_processes() -> None:
    wrapped = tune.with_parameters(train, data=[1, 2])
    assert shape_of(wrapped) == shape_of(unwrapped(wrapped)) == "ray"
    assert unpack_function(pack_function(wrapped))({"x": 1}) == (1, [1, 2])


def test_values_of_a_class_arrive_in_other_processes() -> None:
    again = unpack_function(pack_function(tune.with_parameters(Model, data=[1, 2])))
    assert shape_of(again) == "ray_class"
    assert again(config={"x": 1}).got == (1, [1, 2])


def test_what_is_not_wrapped_stays_as_it_is() -> None:
    assert unwrapped(train) is train
    assert unwrapped(Model) is Model


def test_another_way_of_keeping_values_is_said() -> None:
    def with_parameters() -> Any:
        def inner(config: Any) -> None: ...

        return inner

    inner = with_parameters()
    inner.__qualname__, inner.__module__ = "with_parameters.<locals>.inner", "ray.tune.trainable.util"
    with pytest.raises(UnsupportedRayError, match=r"the values of tune\.with_parameters"):
        unwrapped(inner)


def asking(trainable: Any, **resources: Any) -> Any:
    spec = {
        "trainable": "mine:train",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "resources": resources,
    }
    source = Source(
        spec=parse_spec(spec, base=Path()), text=b"", base=Path(), declaration=None, function=trainable, packed=b""
    )
    return with_asked_resources(source).spec.resources


def test_resources_are_those_of_the_trials_unless_the_spec_says_others() -> None:
    def own(config: Any) -> None: ...

    asked = tune.with_resources(own, {"cpu": 2, "gpu": 0.5, "tpu": 1})
    assert asked_resources(tune.with_parameters(asked, data=1)) == {"CPU": 2, "GPU": 0.5, "tpu": 1}
    resources = asking(asked)
    assert (resources.cpu, resources.gpu, resources.custom) == (2, 0.5, {"tpu": 1})
    assert asking(asked, cpu=3).cpu == 3
    assert asking(tune.with_resources(Model, {"cpu": 4})).cpu == 4
    assert asking(train) == asking(Model)


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (lambda config: tune.PlacementGroupFactory([{"CPU": 1}]), "depend on the configuration"),
        (tune.PlacementGroupFactory([{"CPU": 1}, {"CPU": 2}]), "are 2 bundles"),
    ],
)
def test_resources_that_no_trial_can_have_are_refused(resources: Any, why: str) -> None:
    def own(config: Any) -> None: ...

    with pytest.raises(TrainableError, match=f"tune.with_resources.own, ….: they {why}"):
        asking(tune.with_resources(own, resources))
