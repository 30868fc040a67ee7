"""Resources of a trial that depend on its configuration: what a spec may say, and what trials ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import SpecError
from orchestrator.spec import Spec, parse_spec
from orchestrator.spec.trial_resources import AS_ALL, Asked, TrialResources, threads

SPACE = {
    "width": {"choice": [128, 2048]},
    "arch": {"choice": ["mlp", "resnet"]},
    "depth": {"int": [1, 3], "when": "arch == 'resnet'"},
}


def spec_of(resources: dict[str, Any], **sections: Any) -> Spec:
    data = {"trainable": "linear", "fixed": {"batch": 64}, "space": SPACE, "objective": {"metric": "loss"}}
    return parse_spec({**data, "resources": resources, **sections}, base=Path(), resolve=lambda *_: None)


def asked(resources: dict[str, Any], config: dict[str, Any], **sections: Any) -> Asked:
    spec = spec_of(resources, **sections)
    return TrialResources(spec, spec.parameter_space()).of(config)


SMALL, LARGE = {"width": 128, "arch": "mlp"}, {"width": 2048, "arch": "resnet", "depth": 3}


@pytest.mark.parametrize(
    ("resources", "small", "large"),
    [
        ({"gpu": "2 if width > 1024 else 1"}, Asked(gpus=1), Asked(gpus=2)),
        ({"gpu": "depth if arch == 'resnet' else 0"}, Asked(gpus=0), Asked(gpus=3)),
        ({"gpu": "1 / 3 if width > 1024 else 0.25"}, Asked(gpus=0.25), Asked(gpus=0.3333)),
        ({"cpu": "batch / width"}, Asked(cpus=0.5), Asked(cpus=0.0312)),
        ({"cpu": "cpus"}, Asked(cpus=2), Asked(cpus=32)),
        ({"memory": "1e6 * width"}, Asked(memory=128e6), Asked(memory=2048e6)),
        ({"memory": "'16GB' if width > 1024 else '512 MiB'"}, Asked(memory=2**29), Asked(memory=16e9)),
        ({"gpu": "2 if width > 1024 else 1", "workers": 4}, Asked(gpus=1, ranks=4), Asked(gpus=2, ranks=4)),
        ({"gpu": 2, "cpu": 3, "memory": "4GB"}, AS_ALL, AS_ALL),
        ({"gpu": "packed"}, AS_ALL, AS_ALL),
    ],
)
def test_what_a_trial_asks_for(resources: dict[str, Any], small: Asked, large: Asked) -> None:
    derived = {"cpus": "width // 64"}
    assert asked(resources, SMALL, derived=derived) == small
    assert asked(resources, LARGE, derived=derived) == large


def test_all_ranks_have_their_gpus() -> None:
    assert asked({"gpu": "2 if width > 1024 else 1", "workers": 4}, LARGE).all_gpus == 8
    assert AS_ALL.all_gpus is None


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ({"gpu": "packd"}, r"resources.gpu: unknown value 'packd' \(did you mean 'packed'\?"),
        ({"gpu": "wdth"}, r"resources.gpu: unknown value 'wdth' \(did you mean 'width'\?"),
        ({"gpu": "2 if wdth > 1024 else 1"}, r"resources.gpu: unknown name 'wdth'"),
        ({"gpu": "2 if arch == 'resent' else 1"}, r"resources.gpu: arch is never 'resent' \(did you mean 'resnet'"),
        ({"gpu": "1.5 if width > 1024 else 1"}, r"resources.gpu: .* for width = 2048: 1.5 is not a number of GPUs"),
        ({"gpu": "width - 2048"}, r"resources.gpu: .* for width = 128: -1920 is not a number of GPUs"),
        ({"gpu": "depth"}, r"resources.gpu: 'depth' cannot be evaluated: this configuration has no depth"),
        ({"gpu": "arch"}, r"resources.gpu: .* 'mlp'|'resnet' is not a number of GPUs"),
        ({"gpu": "two GPUs"}, r"resources.gpu: 'two GPUs' is not a number of GPUs \(auto, packed, .*formula"),
        ({"gpu": "2"}, r"resources.gpu: '2' is not a number of GPUs"),
        ({"gpu": [1]}, r"resources.gpu: \[1\] is not a number of GPUs"),
        ({"cpu": "1 / (width - 128)"}, r"resources.cpu: .* for width = 128: division by zero"),
        ({"cpu": -1}, r"resources.cpu: -1 is not a number of CPUs \(0 or more"),
        ({"cpu": True}, r"resources.cpu: True is not a number of CPUs"),
        ({"memory": "4 GBB"}, r"resources.memory: '4 GBB' is not a memory size"),
        ({"memory": "'4 GBB' if width > 1 else 1"}, r"resources.memory: .*'4 GBB' is not a size of memory"),
        ({"memory": "width - 128"}, r"resources.memory: .* for width = 128: 0 is not a size of memory"),
        ({"gpu": "__import__('os').system('true')"}, r"resources.gpu: .* is not allowed"),
    ],
)
def test_mistakes(resources: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        spec_of(resources)


def test_drawn_configurations_show_what_trials_ask_for() -> None:
    spec = spec_of({"gpu": "depth if arch == 'resnet' else 1"})
    drawn = TrialResources(spec, spec.parameter_space()).drawn()
    assert len(drawn) == 8, "all that there are"
    assert sorted(each.gpus or 0 for _, each in drawn) == [1, 1, 1, 1, 2, 2, 3, 3]
    many = spec_of({"gpu": "2 if lr > 0.5 else 1"}, space={"lr": {"uniform": [0, 1]}})
    gpus = [each.gpus for _, each in TrialResources(many, many.parameter_space()).drawn()]
    assert 0.4 < gpus.count(2) / len(gpus) < 0.6
    listed = spec_of({"gpu": "n"}, space={}, search={"method": "list", "configs": [{"n": 1}, {"n": 1}, {"n": 4}]})
    assert [each.gpus for _, each in TrialResources(listed, listed.parameter_space()).drawn()] == [1, 1, 4]
    alike = spec_of({"gpu": 2})
    assert TrialResources(alike, alike.parameter_space()).drawn() == [({}, AS_ALL)]


def test_torch_has_as_many_threads_as_the_rank_has_cpus() -> None:
    spec = spec_of({"cpu": 4})
    assert threads(spec, AS_ALL) == 4
    assert threads(spec_of({"cpu": "width / 512"}), Asked(cpus=2.5)) == 2
    assert threads(spec, Asked(cpus=0.25)) == 1


def test_a_formula_is_recorded_as_it_is_written() -> None:
    spec = spec_of({"gpu": "2 if width > 1024 else 1", "memory": "1e6 * width"})
    assert parse_spec(spec.to_plain(), base=Path(), resolve=lambda *_: None).resources == spec.resources
