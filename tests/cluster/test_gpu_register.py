"""Sweeps on one machine get GPUs of their own, or are told that they share; on made-up GPUs, with real processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.engine import Embedded
from cluster.gpus import nvidia, register
from cluster.gpus.register import Share, own_gpus, registered
from cluster.inventory import this_machine
from orchestrator.sites.placement import reached_for
from orchestrator.spec import parse_spec
from tests.cluster.fake_nvml import FakeCard, fake_nvml
from tests.cluster.test_gpus import Plug, plug

__all__ = ["plug"]
FOUR = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")
HOLD = """
import sys
from pathlib import Path
from cluster.gpus.register import registered
with registered(sys.argv[2].split(","), None, place=Path(sys.argv[1])) as share:
    print(",".join(share.devices), flush=True)
    sys.stdin.read()
"""


@contextmanager
def elsewhere(place: Path, *devices: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has these GPUs."""
    words = [sys.executable, "-c", HOLD, str(place), ",".join(devices)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == ",".join(devices)
        try:
            yield process
        finally:
            process.kill()


def test_alone_a_process_has_all_and_the_next_one_shares_them(tmp_path: Path) -> None:
    place = tmp_path / "register"
    with registered(FOUR, None, place=place) as first, registered(FOUR, None, place=place) as second:
        assert first == Share(devices=FOUR)
        assert second == Share(devices=FOUR, shared=FOUR)
    with registered(FOUR, None, place=place) as third:
        assert third == Share(devices=FOUR)


def test_what_another_process_has_is_left_to_it(tmp_path: Path) -> None:
    with elsewhere(tmp_path / "r", "GPU-a", "GPU-c"), registered(FOUR, None, place=tmp_path / "r") as share:
        assert share == Share(devices=("GPU-b", "GPU-d"), others=2)


def test_so_many_of_them(tmp_path: Path) -> None:
    place = tmp_path / "r"
    with registered(FOUR, 1, place=place) as one, registered(FOUR, 2, place=place) as two:
        assert (one.devices, two.devices) == (("GPU-a",), ("GPU-b", "GPU-c"))
        assert not one.shared + two.shared
        with registered(FOUR, 3, place=place) as three:
            assert (three.devices, three.shared) == (("GPU-a", "GPU-b", "GPU-d"), ("GPU-a", "GPU-b"))


def test_a_killed_process_has_none(tmp_path: Path) -> None:
    with elsewhere(tmp_path / "r", *FOUR) as process:
        process.kill()
        process.wait()
        with registered(FOUR, None, place=tmp_path / "r") as share:
            assert not share.shared


def test_the_register_is_for_all_users_and_its_files_are_for_nobody_to_write(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with registered(FOUR[:1], None, place=tmp_path / "r"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o1777
    assert stat.S_IMODE((tmp_path / "r" / "GPU-a.lock").stat().st_mode) == 0o444


@pytest.mark.parametrize("hostile", ["fifo", "link", "directory", "file as register", "link as register"])
def test_without_a_true_register_all_gpus_count_as_free(tmp_path: Path, hostile: str) -> None:
    place, target = tmp_path / "r", tmp_path / "target"
    if hostile == "file as register":
        place.touch()
    elif hostile == "link as register":
        target.mkdir()
        place.symlink_to(target)
    else:
        place.mkdir()
        lock = place / "GPU-a.lock"
        {"fifo": lambda: os.mkfifo(lock), "link": lambda: lock.symlink_to(target), "directory": lock.mkdir}[hostile]()
    with registered(FOUR[:1], None, place=place) as share:
        assert share == Share(devices=FOUR[:1])
    assert not target.exists() or not list(target.iterdir())


@pytest.fixture
def two(plug: Plug, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with two GPUs, and its register."""
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml([FakeCard(uuid="GPU-a"), FakeCard(uuid="GPU-b")]))
    nvidia.listed.cache_clear()
    monkeypatch.setattr(register, "PLACE", tmp_path / "r")
    return tmp_path / "r"


def test_the_others_are_hidden_from_ray(two: Path) -> None:
    with elsewhere(two, "GPU-b"), own_gpus(place=two):
        assert os.environ[nvidia.VARIABLE] == "GPU-a"
        assert this_machine().gpus == 1
    assert nvidia.VARIABLE not in os.environ
    with own_gpus(place=two):
        assert nvidia.VARIABLE not in os.environ
        assert this_machine().gpus == 2


def test_what_the_user_has_chosen_stays_the_choice(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(nvidia.VARIABLE, "1")
    with elsewhere(two, "GPU-a"), own_gpus(place=two) as share:
        assert share == Share(devices=("GPU-b",))
        assert os.environ[nvidia.VARIABLE] == "1"


@pytest.mark.parametrize("wanted", [0, 3])
def test_none_and_pretended_ones_are_not_registered(two: Path, wanted: int) -> None:
    with own_gpus(wanted, place=two):
        assert not two.exists()


def said(gpu: object, gpus: int | None = None) -> tuple[str, ...]:
    spec = parse_spec(
        {
            "trainable": "m:t",
            "space": {"x": {"uniform": [0, 1]}},
            "objective": {"metric": "loss"},
            "resources": {"gpu": gpu},
        },
        base=Path(),
    )
    with reached_for(Embedded(gpus=gpus), spec) as remarks:
        return remarks


def test_what_is_said_of_it(two: Path) -> None:
    assert said("auto") == ()
    with elsewhere(two, "GPU-b"):
        assert said("auto") == ("uses 1 GPU; other sweeps on this machine have the other 1",)
        assert said("auto", 1) == ()
        assert said("auto", 2) == ("another sweep on this machine uses 1 of its 2 GPUs, too",)
        with elsewhere(two, "GPU-a"):
            assert said("auto") == ("another sweep on this machine uses its 2 GPUs, too",)
            assert said("auto", 1) == ("another sweep on this machine uses its GPU, too",)
            assert said(0) == ()
