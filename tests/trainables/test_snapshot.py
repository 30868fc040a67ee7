"""A saved state is restored exactly, and reading a file runs no code from it."""

from __future__ import annotations

import io
import json
import math
import pickle
import random
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from trainables.checkpoints import random_state, snapshot
from trainables.checkpoints.snapshot import DamagedCheckpoint, take


def through_a_file(tmp_path: Path, **state: Any) -> dict[str, Any]:
    taken = take(3, state)
    path = tmp_path / f"last{taken.suffix}"
    with path.open("wb") as file:
        snapshot.write(file, taken, 0.5)
    read, best = snapshot.read(path)
    assert (read.step, best) == (3, 0.5)
    assert read.random == taken.random
    return read.state


def identical(a: Any, b: Any) -> bool:
    """Whether two values are equal in value and type, floats bit by bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    return bool(a == b)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KEYS = st.text() | st.integers() | st.sampled_from(["tuple", "items"])
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(PLAIN)
@settings(max_examples=150)
def test_plain_data_comes_back_from_json(value: Any) -> None:
    text = json.dumps(snapshot._tagged(take(0, {"value": value}).state))
    assert identical(json.loads(text, object_hook=snapshot._untagged), {"value": value})


@given(PLAIN)
@settings(max_examples=40)
def test_plain_data_comes_back_from_torch(value: Any) -> None:
    buffer = io.BytesIO()
    torch.save(take(0, {"value": value}).state, buffer)
    buffer.seek(0)
    assert identical(torch.load(buffer, weights_only=True), {"value": value})


def test_numpys_numbers_become_pythons(tmp_path: Path) -> None:
    state = through_a_file(tmp_path, a=np.float64(0.1), b=np.int64(3), c=[np.bool_(True)], d={np.int32(1): "one"})
    assert identical(state, {"a": 0.1, "b": 3, "c": [True], "d": {1: "one"}})


def test_a_tensor_is_a_copy_on_the_cpu(tmp_path: Path) -> None:
    weight = nn.Parameter(torch.ones(2, 3))
    taken = take(0, {"weight": weight, "in": {"a list": [weight]}})
    with torch.no_grad():
        weight.zero_()
    assert taken.suffix == ".pt"
    assert taken.size > 2 * weight.nbytes
    for copy in (taken.state["weight"], taken.state["in"]["a list"][0]):
        assert torch.equal(copy, torch.ones(2, 3))
        assert not copy.requires_grad


def test_modules_optimizers_and_schedulers_come_back(tmp_path: Path) -> None:
    def make() -> tuple[nn.Module, Any, Any]:
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        return model, optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 2, 4])

    def train(model: nn.Module, optimizer: Any, scheduler: Any) -> None:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.linspace(0, 1, 8).reshape(4, 2)).square().mean().backward()
            optimizer.step()
            scheduler.step()

    one, other = make(), make()
    train(*one)
    state = through_a_file(tmp_path, **dict(zip(("model", "optimizer", "scheduler"), one, strict=True)))
    assert state["model"]._metadata == one[0].state_dict()._metadata
    assert isinstance(state["scheduler"]["milestones"], Counter)
    for each, saved in zip(other, state.values(), strict=True):
        each.load_state_dict(saved)
    train(*one)
    train(*other)
    for a, b in zip(one[0].state_dict().values(), other[0].state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"rng": random.Random()}, r"trial.save\(rng=…\): random.Random cannot be saved; objects with a state_dict"),
        ({"a": {"b": [1, (print,)]}}, r"trial.save\(a\['b'\]\[1\]\[0\]=…\): builtins.builtin_function"),
        ({"data": np.zeros(3)}, r"trial.save\(data=…\): numpy.ndarray cannot be saved; torch.from_numpy"),
        ({"seen": {1, 2}}, r"trial.save\(seen=…\): builtins.set"),
        ({"a": {Path(): 1}}, r"trial.save\(a, a key=…\): pathlib"),
    ],
)
def test_what_cannot_be_saved_is_named(state: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        take(1, state)


# ------------------------------------------------------------------------------------------- random generators


def test_the_generators_go_on_where_they_stood(tmp_path: Path) -> None:
    def draw() -> tuple[float, ...]:
        return random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), float(torch.rand(1))

    random.gauss(0, 1)  # the generator keeps half of a pair for the next call
    np.random.randn()
    states = json.loads(json.dumps(snapshot._tagged(random_state.capture())), object_hook=snapshot._untagged)
    first = draw()
    assert draw() != first
    random_state.restore(states)
    assert draw() == first


# --------------------------------------------------------------------------------------------------- bad files


class Malicious:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("save", [lambda o, p: p.write_bytes(pickle.dumps(o)), torch.save], ids=["pickle", "torch"])
def test_a_malicious_pickle_is_refused(save: Callable[[Any, Path], Any], tmp_path: Path) -> None:
    path, trap = tmp_path / "last.pt", tmp_path / "sprung"
    save({"format": snapshot.FORMAT, "step": 1, "best": 0.0, "random": {}, "state": {"model": Malicious(trap)}}, path)
    with pytest.raises(DamagedCheckpoint, match=r"(?i)weights.only|unsupported"):
        snapshot.read(path)
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".pt", ".json"])
def test_no_part_of_a_file_is_taken_for_a_checkpoint(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"last{suffix}"
    with path.open("wb") as file:
        snapshot.write(file, take(1, {"weight": torch.arange(9.0) if suffix == ".pt" else [0.1] * 9}), 0.0)
    whole = path.read_bytes()
    for length in (0, 1, 2, 50, *range(100, len(whole), 331), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedCheckpoint):
            snapshot.read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("last.json", b"[]"),
        ("last.json", b"{}"),
        ("last.json", b"\xff\xfe"),
        ("last.json", b'{"format": 1, "step": 1, "best": 0, "state": {}, "random": {}}'),
        ("last.json", b"[" * 100_000),
        ("last.pt", b"not a checkpoint"),
        ("last.pt", b"\x80\x02]q\x00."),
    ],
)
def test_a_foreign_file_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DamagedCheckpoint):
        snapshot.read(tmp_path / name)
