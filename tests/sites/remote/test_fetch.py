"""What ``dump_records`` prints on the cluster is unpacked here, or refused."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.sites.remote import dump_records, fetch
from tests.fuzz.archives import Archives
from trainables.checkpoints.files import load
from trainables.checkpoints.saving import Checkpoints

NAMES = st.lists(st.sampled_from(["sweep.json", "trials.parquet", "metrics/0.parquet", "logs/3.log"]), unique=True)


def printed(root: Path, *, since: float = 0.0, large: bool = False) -> list[str]:
    text = io.StringIO()
    dump_records.write(root, since=since, large=large, to=text)
    return text.getvalue().splitlines()


def fetched(lines: list[str], copy: Path) -> fetch.Fetched:
    with tempfile.TemporaryFile() as packed:
        about = fetch.read_package(lines, packed)
        return fetch.unpack(copy, packed, about)


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def write(root: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


@settings(max_examples=30, deadline=None)
@given(NAMES, st.binary(max_size=3 * dump_records.LINE_BYTES), st.sampled_from([0, 1, dump_records.LINE_BYTES]))
def test_the_copy_is_the_same(names: list[str], content: bytes, padding: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        there, here = Path(scratch, "there"), Path(scratch, "here")
        there.mkdir()
        contents = {name: os.urandom(padding) + content + name.encode() for name in names}
        write(there, contents)
        assert fetched(printed(there), here).files == len(names)
        assert files(here) == contents


def test_only_what_changed_comes_again(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    write(there, {"sweep.json": b"{}", "metrics/0.parquet": b"sealed", "metrics/1.parquet": b"grows"})
    for name in ("sweep.json", "metrics/0.parquet"):
        os.utime(there / name, (1000, 1000))
    assert fetched(printed(there), here).files == 3
    write(there, {"metrics/1.parquet": b"grows on"})
    again = fetched(printed(there, since=2000), here)
    assert (again.files, again.size) == (1, len(b"grows on"))
    assert files(here) == files(there)


def test_leases_requests_and_half_written_files_stay_there_and_checkpoints_unless_asked_for(tmp_path: Path) -> None:
    there = tmp_path / "there"
    write(
        there, {"sweep.json": b"{}", "lease.json": b"{}", "requests/1.json": b"{}", "metrics/.0.parquet.tmp": b"half"}
    )
    write(there, {"checkpoints/0/best-10.ckpt": b"weights", "trials/0/picture.png": b"pixels"})
    fetched(printed(there), tmp_path / "small")
    assert set(files(tmp_path / "small")) == {"sweep.json"}
    fetched(printed(there, large=True), tmp_path / "large")
    assert set(files(tmp_path / "large")) == {"sweep.json", "checkpoints/0/best-10.ckpt", "trials/0/picture.png"}


def test_what_a_trial_has_saved_arrives_whole_whatever_its_name(tmp_path: Path) -> None:
    """torch's distributed checkpoints have a file .metadata."""
    there, here = tmp_path / "there", tmp_path / "here"
    write(tmp_path / "checkpoint-3", {".metadata": b"shards", "shards/__0_0.distcp": b"weights"})
    Checkpoints(there / "checkpoints" / "7").save(3, {}, tmp_path / "checkpoint-3")
    write(there, {"checkpoints/7/.last.json.0a1b2c3d": b"half"})
    fetched(printed(there, large=True), here)
    assert not (here / "checkpoints/7/.last.json.0a1b2c3d").exists()
    path = load(here / "checkpoints" / "7" / "last.json")["path"]
    assert files(path) == {".metadata": b"shards", "shards/__0_0.distcp": b"weights"}


def test_what_is_spoiled_on_its_way_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "there", {"sweep.json": os.urandom(100_000)})
    lines = printed(tmp_path / "there")
    cut, swapped = lines[:-1], [lines[0], lines[2], lines[1], *lines[3:]]
    damaged = [lines[0], "?" + lines[1][1:], *lines[2:]]
    for spoiled, why in ((cut, "incomplete"), (swapped, "hash"), (damaged, "damaged"), ([], "incomplete")):
        with pytest.raises(fetch.CorruptTransferError, match=why):
            fetched(spoiled, tmp_path / "here")


def test_a_copy_that_was_changed_is_found_out(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    write(there, {"sweep.json": b"{}"})
    os.utime(there / "sweep.json", (1000, 1000))
    fetched(printed(there), here)
    (here / "sweep.json").write_bytes(b"{changed}")
    with pytest.raises(fetch.CorruptTransferError, match=r"sweep\.json differs"):
        fetched(printed(there, since=2000), here)


def test_nothing_is_written_outside_of_the_copy(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w|gz") as tar:
        entry = tarfile.TarInfo("../evil")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(fetch.CorruptTransferError, match="outside"):
        fetch.unpack(tmp_path / "copy", packed, {"files": {"../evil": [1, "0"]}})
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("size", range(20))
def test_an_archive_that_is_cut_early_is_damaged(tmp_path: Path, size: int) -> None:
    packed = io.BytesIO(gzip.compress(b"")[:size])
    with pytest.raises(fetch.CorruptTransferError):
        fetch.unpack(tmp_path / "copy", packed, {"files": {"sweep.json": [1, "0"]}})


@pytest.mark.parametrize("seed", range(60))
def test_what_is_made_up_ends_in_a_sentence(tmp_path: Path, seed: int) -> None:
    """Archives whose hash is right: cut, with flipped bits, with foreign entries, as in `make fuzz`."""
    Archives(tmp_path / "fuzz").attempt(Random(seed))
