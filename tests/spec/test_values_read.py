"""What a training function certainly reads, and no more, must have a value."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from orchestrator.errors import SpecError
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import known

READ = {
    "for epoch in range(config['epochs']):\n    trial.report(step=epoch, loss=1.0)": "epochs",
    "size = Model(config['x'], hidden=2 * config['hidden'])": "hidden",
    "with open(config['file']) as file:\n    lines = file.read()": "file",
    "x = config['x']\nif x:\n    print(x)\nreturn config['late']": "late",
    "while config['running'] or config['not this']:\n    break": "running",
}
NOT_READ = [
    "config['epochs'] = 3\nprint(config['epochs'])",
    "config = {'epochs': 3, **config}\nprint(config['epochs'])",
    "config.setdefault('epochs', 3)\nprint(config['epochs'])",
    "fill_in(config)\nprint(config['epochs'])",
    "epochs = config.get('epochs', 3)",
    "epochs = config['epochs'] if 'epochs' in config else 3",
    "if config['x']:\n    print(config['epochs'])",
    "try:\n    epochs = config['epochs']\nexcept KeyError:\n    epochs = 3",
    "if config['x'] > 0.5:\n    return\nprint(config['epochs'])",
    "def inner():\n    return config['epochs']",
    "later = lambda: config['epochs']",
    "fine = 'epochs' in config and config['epochs']",
    "other = {'epochs': 3}\nprint(other['epochs'])",
    "for name in ('x', 'y'):\n    print(config[name])",
]


def check(body: str, tmp_path: Path, **sections: object) -> None:
    text = "def train(config, trial):\n" + textwrap.indent(body, "    ")
    (tmp_path / "reading_it.py").write_text(text)
    data = {
        "trainable": "reading_it.py:train",
        "space": {"x": {"uniform": [0, 1]}},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        **sections,
    }
    parse_spec(data, base=tmp_path, resolve=known)


@pytest.mark.parametrize("body", READ)
def test_what_is_read_must_have_a_value(body: str, tmp_path: Path) -> None:
    name = READ[body]
    with pytest.raises(SpecError) as refused:
        check(body, tmp_path)
    (mistake,) = refused.value.mistakes
    assert f"reading_it.py:train reads config[{name!r}] (its line " in mistake.problem
    check(body, tmp_path, fixed={name: 3})
    check(body, tmp_path, space={"x": {"uniform": [0, 1]}, name: {"int": [1, 3], "when": "x > 0.5"}})


@pytest.mark.parametrize("body", NOT_READ)
def test_what_may_be_left_out_is_no_mistake(body: str, tmp_path: Path) -> None:
    check(body, tmp_path)


def test_a_near_miss_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="did you mean 'epoch'"):
        check("print(config['epochs'])", tmp_path, fixed={"epoch": 3})
