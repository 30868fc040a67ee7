"""try --noise: one configuration with several seeds, and what the spread of its results says."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.analysis.compare.seed_noise import seed_noise
from tests.cli.conftest import Ran

Sweep = Callable[..., Ran]

TRAIN = """
import random
def train(config, trial):
    for step in range(1, 4):
        trial.report(step=step, loss=config["x"] + NOISE)
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "noisy.yaml"
    path.write_text("trainable: noisy.py:train\nspace: {x: {uniform: [0, 1]}}\nobjective: {metric: loss, at: last}\n")
    return path


def write(spec: Path, noise: str) -> None:
    (spec.parent / "noisy.py").write_text(TRAIN.replace("NOISE", noise))


def test_each_seed_is_a_training_of_the_same_configuration(sweep: Sweep, spec: Path) -> None:
    write(spec, "trial.seed % 3")
    ran = sweep("try", spec, "--noise", "--seeds", "3", "--config", "{x: 0.5}")
    assert ran.code == 0, ran.err
    head, *rows, said = ran.out.strip().splitlines()
    assert head.split() == ["seed", "loss", "steps"]
    assert sorted(float(row.split()[1]) for row in rows) == [0.5, 1.5, 2.5]
    assert [row.split()[2] for row in rows] == ["3"] * 3
    assert said.startswith(
        "between seeds, loss has a standard deviation of 1; two trials that differ by less than 6.1 "
    )


def test_the_process_is_seeded_for_each(sweep: Sweep, spec: Path) -> None:
    write(spec, "random.random()")
    first, again = (sweep("try", spec, "--noise", "--config", "{x: 0}").out for _ in range(2))
    assert first == again
    assert "the same with" not in first


def test_a_training_that_ignores_its_seed_is_told(sweep: Sweep, spec: Path) -> None:
    write(spec, "0")
    assert "loss is the same with 2 seeds: the training does not depend on trial.seed" in (
        sweep("try", spec, "--noise").out
    )


@pytest.mark.parametrize(
    ("noise", "arguments", "code", "told"),
    [
        ("0", ["--noise", "--seeds", "1"], 2, "--seeds"),
        ("0", ["--seeds", "3"], 2, "--seeds requires --noise"),
        ("0", ["--noise", "--data-fractions", "0.5,1"], 2, "give one of them"),
        ("float('nan')", ["--noise"], 1, "has no result"),
        ("1 / 0", ["--noise"], 1, "ZeroDivisionError"),
    ],
)
def test_mistakes(sweep: Sweep, spec: Path, noise: str, arguments: list[str], code: int, told: str) -> None:
    write(spec, noise)
    ran = sweep("try", spec, *arguments)
    assert ran.code == code
    assert told in ran.err


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_of_pairs_of_equals_some_95_percent_differ_by_less(seeds: int) -> None:
    """The bound is of a deviation estimated from independent results of the same number."""
    rng, below, tries = random.Random(seeds), 0, 2000
    for _ in range(tries):
        noise = seed_noise([rng.gauss(3, 2) for _ in range(seeds)])
        below += abs(rng.gauss(3, 2) - rng.gauss(3, 2)) <= noise.difference
    assert math.isclose(below / tries, 0.95, abs_tol=0.02)


def test_it_is_the_default_configuration_where_that_lies_in_the_space(sweep: Sweep, spec: Path) -> None:
    (spec.parent / "noisy.py").write_text(
        "from orchestrator import Hyperparameter, declare\n"
        "@declare(*(Hyperparameter(name=n, type=float, default=d, meaning='m')"
        " for n, d in (('x', 0.25), ('y', 9.0))))\n"
        "def train(config, trial):\n"
        "    trial.report(step=1, loss=config['x'])\n"
    )
    spec.write_text(spec.read_text().replace("}}", "}, y: {uniform: [0, 1]}}", 1))
    ran = sweep("try", spec, "--noise")
    assert "trial 0: x=0.25 y=0." in ran.err
    assert "y=9" not in ran.err
    assert "x=0.5" in sweep("try", spec, "--noise", "--config", "{x: 0.5}").err
    assert "x=0.25" not in sweep("try", spec).err
    spec.write_text(spec.read_text() + "constraints: ['x > 0.3']\n")
    ran = sweep("try", spec, "--noise")
    assert ran.code == 0, ran.err
    assert "x=0.25" not in ran.err
