"""Prepared data: made once, however many ask at once, and again when anything that it depends on changes."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.data import cache
from trainables.data.cache import Prepared, prepared
from trainables.data.identity import identity


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("1\n2\n3\n")
    os.utime(path, (1e9, 1e9))
    return path


class Maker:
    def __init__(self, path: Path) -> None:
        self.path, self.made = path, 0

    def __call__(self) -> Prepared:
        self.made += 1
        return Prepared(arrays={"x": np.loadtxt(self.path), "none": np.empty((0, 3))}, facts={"classes": ["a", 1]})


def ask(make: Callable[[], Prepared], path: Path, code: str = __file__, **options: Any) -> Prepared:
    cache._used.clear()  # as in another process
    return prepared(make, data=[path], options=options, code=(code,))


def test_it_is_made_once_and_mapped_from_files(data: Path) -> None:
    make = Maker(data)
    first, second = ask(make, data), ask(make, data)
    assert make.made == 1
    for each in (first, second):
        assert each.arrays["x"].tolist() == [1, 2, 3]
        assert each.arrays["none"].shape == (0, 3)
        assert each.facts == {"classes": ["a", 1]}
        assert isinstance(each.arrays["x"], np.memmap)


def test_what_one_trial_writes_no_other_sees(data: Path) -> None:
    ask(Maker(data), data).arrays["x"][0] = 9
    assert ask(Maker(data), data).arrays["x"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("change", ["content", "option", "code"])
def test_it_is_made_again_once_something_has_changed(data: Path, change: str, tmp_path: Path) -> None:
    make, code = Maker(data), tmp_path / "code.py"
    code.write_text("1")
    ask(make, data, str(code), seed=0)
    if change == "content":
        data.write_text("4\n5\n6\n")  # as many bytes
    if change == "code":
        code.write_text("2")
        cache._code.cache_clear()
    again = ask(make, data, str(code), seed=int(change == "option"))
    assert make.made == 2
    assert again.arrays["x"][0] == (4 if change == "content" else 1)


def test_a_file_that_only_moved_is_known(data: Path, tmp_path: Path) -> None:
    make = Maker(data)
    ask(make, data)
    moved = data.rename(tmp_path / "elsewhere.csv")
    ask(make, moved)
    assert make.made == 1


def test_two_changes_within_the_clocks_resolution_are_seen(data: Path) -> None:
    make = Maker(data)
    for content in ("1\n2\n3\n", "7\n8\n9\n"):
        data.write_text(content)
        now = time.time()
        os.utime(data, (now, now))
        assert ask(make, data).arrays["x"].tolist() == [float(each) for each in content.split()]


def _in_a_process(data: Path, log: Path, done: Any) -> None:
    def make() -> Prepared:
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)
        return Prepared(arrays={"x": np.loadtxt(data)})

    done.put(ask(make, data).arrays["x"].tolist())


def test_of_several_processes_one_makes_it_and_the_others_wait(data: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    done = context.Queue()
    processes = [context.Process(target=_in_a_process, args=(data, tmp_path / "log", done)) for _ in range(4)]
    for each in processes:
        each.start()
    assert [done.get(timeout=60) for _ in processes] == [[1, 2, 3]] * 4
    for each in processes:
        each.join()
    assert (tmp_path / "log").read_text() == "made\n"


def test_two_writers_without_a_lock_do_no_harm(data: Path) -> None:
    """As on a network file system where locks do nothing."""

    def make() -> Prepared:
        made = Prepared(arrays={"x": np.loadtxt(data)})
        cache._write(next(iter(asked)), made)  # another one was quicker
        return made

    asked: list[Path] = []
    read = cache._read

    def watched(entry: Path) -> Prepared | None:
        asked.append(entry)
        return read(entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "_read", watched)
        assert ask(make, data).arrays["x"].tolist() == [1, 2, 3]
    assert not list(cache.directory().glob("writing-*"))


def test_where_nothing_can_be_written_it_is_made_each_time(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    make = Maker(data)
    assert [ask(make, data).arrays["x"].tolist() for _ in range(2)] == [[1, 2, 3]] * 2
    assert make.made == 2
    assert "cannot be written, so every process prepares the data" in caplog.text


def test_a_damaged_entry_is_made_again(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    make = Maker(data)
    ask(make, data)
    (file,) = cache.directory().glob("*/x.npy")
    file.write_bytes(file.read_bytes()[:20])
    assert ask(make, data).arrays["x"].tolist() == [1, 2, 3]
    assert make.made == 2
    assert "prepared again" in caplog.text


def test_what_nobody_has_used_for_a_month_is_removed(data: Path) -> None:
    ask(Maker(data), data, seed=0)
    (old,) = (path.parent for path in cache.directory().glob("*/x.npy"))
    ask(Maker(data), data, seed=1)
    assert old.exists()
    os.utime(old, (1e9, 1e9))
    ask(Maker(data), data, seed=2)
    assert not old.exists()
    assert len(list(cache.directory().glob("*/x.npy"))) == 2


def test_the_identity_of_a_directory_is_that_of_its_files(tmp_path: Path) -> None:
    def write(**files: str) -> str:
        for name, text in files.items():
            (tmp_path / "d" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "d" / name / "file.txt").write_text(text)
        return identity(tmp_path / "d")

    first = write(cat="1", dog="2")
    assert first.startswith("sha256 of 2 files ")
    assert write() == first
    assert len({first, write(dog="3"), write(emu="4")}) == 3
    (tmp_path / "d" / ".DS_Store").write_text("")
    assert write() == write()
    (tmp_path / "d" / "cat").rename(tmp_path / "d" / "cow")
    assert write() != first


def test_facts_are_those_that_json_has(data: Path) -> None:
    facts = ask(Maker(data), data).facts
    assert json.loads(json.dumps(facts)) == facts
