from __future__ import annotations

import json
import tomllib
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from ruamel.yaml import YAML

from trainables.command.config_files import as_json, as_toml, as_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53), st.booleans(), TEXTS
)
NAMES = st.from_regex("[a-z_][a-z_0-9]{0,5}", fullmatch=True) | st.sampled_from(["größe", "on", "null"])
VALUES = st.recursive(SCALARS | st.lists(SCALARS, max_size=3), lambda inner: st.dictionaries(NAMES, inner, max_size=3))
CONFIGS = st.dictionaries(NAMES, VALUES, max_size=4)
ODD = {
    "word": "on",
    "number": "1e-3",
    "date": "2001-01-01",
    "small": 1e-05,
    "whole": 1.0,
    "nothing": "null",
    "a": {"b": [1]},
}


def same(read: Any, config: Any) -> bool:
    return json.dumps(read, sort_keys=True) == json.dumps(config, sort_keys=True)


@given(CONFIGS)
def test_each_format_says_what_the_configuration_is(config: dict[str, Any]) -> None:
    assert same(json.loads(as_json(config)), config)
    assert same(tomllib.loads(as_toml(config)), config)
    assert same(YAML(typ="safe").load(as_yaml(config)), config)
    assert same(yaml.safe_load(as_yaml(config)), config)


def test_readers_of_every_yaml_agree() -> None:
    for read in (YAML(typ="safe").load, yaml.safe_load, lambda text: OmegaConf.to_container(OmegaConf.create(text))):
        assert same(read(as_yaml(ODD)), ODD)
    assert as_yaml({"optim": {"lr": 1e-5}, "none": None}) == "optim:\n  lr: 1.0e-05\nnone: null\n"


def test_toml_leaves_out_what_is_null() -> None:
    assert tomllib.loads(as_toml({"a": None, "b": [1, None], "c": {"d": None}})) == {"b": [1], "c": {}}
