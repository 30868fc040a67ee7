"""Specs recorded before there were dotted names, and what trials of recorded sweeps were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import DamagedError
from orchestrator.spec import parse_spec
from orchestrator.spec.recorded_spec import given_values, with_dotted_names

RECORDED: dict[str, Any] = {
    "trainable": "a.py:b",
    "objective": {"metric": "loss"},
    "fixed": {"optim": {"momentum": 0.9}},
}


def test_a_mapping_that_was_listed_keeps_its_column() -> None:
    configs = [{"aug": {"flip": True}, "lr": 1.0}, {"aug": {"flip": False}, "lr": 2.0}]
    recorded = RECORDED | {"search": {"method": "list", "configs": configs}, "space": {}}
    spec = parse_spec(with_dotted_names(recorded), base=Path())
    assert spec.parameter_space().kinds == {"aug": "json", "lr": "float"}
    assert spec.search.configs == configs
    assert spec.fixed == {"optim.momentum": 0.9}


def test_what_has_dotted_names_stays_as_it_is() -> None:
    search = {"method": "list", "configs": [{"optim.lr": 0.1}, {"optim.lr": 0.2}]}
    recorded = parse_spec(RECORDED | {"search": search}, base=Path()).to_plain()
    assert with_dotted_names(recorded) == recorded


def test_values_that_nothing_can_derive_are_damage() -> None:
    with pytest.raises(DamagedError, match="the recorded spec is damaged"):
        given_values(RECORDED | {"space": {}, "derived": {"x": "import os"}})
