"""What goes along to a cluster, and what stays behind."""

from __future__ import annotations

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ClusterError
from cluster.snapshot import Snapshot, check_size, pack, project, put, take

KEYS = [".env", ".env.local", "deploy.pem", "ssh/id_rsa", "ssh/id_ed25519", ".netrc", "auth_token", "credentials",
        ".npmrc", ".aws/config", "a.P12", "b/.git-credentials"]  # fmt: skip


def tree(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"content of {name}")
    return root


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(params=["with git", "without git"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project's directory."""
    if request.param == "with git":
        git(tmp_path, "init", "-q")
    return tmp_path


def hash_of(snapshot: Snapshot, into: Path) -> str:
    with ZipFile(into, "w") as zipped:
        return pack(snapshot, zipped, "code")


def test_ignored_files_stay_behind(root: Path) -> None:
    tree(root, "train.py", "data/big.bin", "notes.tmp", "lib/deep/net.py", ".venv/bin/python", "lib/__pycache__/x.pyc")
    (root / ".gitignore").write_text("data/\n*.pyc\n.venv/\n")
    (root / ".sweepignore").write_text("*.tmp\n")
    assert set(take(root).sizes) == {".gitignore", ".sweepignore", "train.py", "lib/deep/net.py"}


def test_sweepignore_takes_in_what_gitignore_leaves_out(root: Path) -> None:
    tree(root, "train.py", "data/small.csv", "data/big.bin", ".env", ".venv/pyvenv.cfg")
    (root / ".gitignore").write_text("data/\n.venv/\n")
    (root / ".sweepignore").write_text("!data/small.csv\n!.env\n")
    snapshot = take(root)
    assert set(snapshot.sizes) == {".gitignore", ".sweepignore", "train.py", "data/small.csv", ".env"}
    assert snapshot.withheld == ()


def test_files_that_usually_hold_keys_stay_behind_and_are_named(root: Path) -> None:
    tree(root, "train.py", "secrets.py", "environment.yaml", *KEYS)
    (root / "innocent").symlink_to(root / "deploy.pem")
    outside = root.parent / f"{root.name}-outside"
    outside.write_text("not of this project")
    (root / "leaves").symlink_to(outside)
    snapshot = take(root)
    assert set(snapshot.sizes) == {"train.py", "secrets.py", "environment.yaml"}
    assert set(snapshot.withheld) == {*KEYS, "innocent", "leaves"}


def test_results_stay_behind_wherever_they_are(root: Path) -> None:
    tree(root, "train.py", "out/churn/sweep.json", "outlook.py")
    assert set(take(root, without=[root / "out"]).sizes) == {"train.py", "outlook.py"}


def test_tracked_and_untracked_files_go_along_as_they_are_now(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    tree(tmp_path, "kept.py", "removed.py", "sub/spec.yaml")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "removed.py").unlink()
    tree(tmp_path, "sub/new.py")
    assert project(tmp_path / "sub") == tmp_path.resolve()
    assert set(take(project(tmp_path / "sub")).sizes) == {"kept.py", "sub/spec.yaml", "sub/new.py"}


def test_the_hash_is_of_names_and_contents_and_of_nothing_else(tmp_path: Path) -> None:
    one = tree(tmp_path / "one", "a.py", "b/c.py")
    two = tree(tmp_path / "two", "b/c.py", "a.py")
    zips = [tmp_path / "1.zip", tmp_path / "2.zip"]
    assert hash_of(take(one), zips[0]) == hash_of(take(two), zips[1])
    assert zips[0].read_bytes() == zips[1].read_bytes()
    before = hash_of(take(one), zips[0])
    (one / "a.py").chmod(0o755)
    runs = hash_of(take(one), zips[0])
    (one / "a.py").write_text("another")
    assert len({before, runs, hash_of(take(one), zips[0])}) == 3


def test_a_script_stays_executable(tmp_path: Path) -> None:
    tree(tmp_path, "run.sh", "train.py")
    (tmp_path / "run.sh").chmod(0o755)
    hash_of(take(tmp_path), tmp_path / "x.zip")
    with ZipFile(tmp_path / "x.zip") as zipped:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in zipped.infolist()}
    assert modes == {"code/run.sh": 0o755, "code/train.py": 0o644}


def test_too_much_is_refused_with_the_largest_files_known(tmp_path: Path) -> None:
    tree(tmp_path, "train.py")
    (tmp_path / "weights.bin").write_bytes(b"0" * 2_000_000)
    snapshot = take(tmp_path)
    assert snapshot.largest(1) == [("weights.bin", 2_000_000)]
    check_size(snapshot, 2_100_000)
    with pytest.raises(ClusterError, match=r"2 MB to send; the limit is 1 MB.*\.sweepignore"):
        check_size(snapshot, 1_000_000)


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    snapshot = take(tree(tmp_path, "train.py"))
    (tmp_path / "train.py").unlink()
    with pytest.raises(ClusterError, match=r"cannot send .*train\.py: No such file"):
        hash_of(snapshot, tmp_path / "x.zip")


@given(st.dictionaries(st.text("ab/.", min_size=1).filter(lambda name: name.strip("/.")), st.binary(), max_size=5))
def test_a_zip_holds_what_was_put_into_it(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.zip"
    with ZipFile(path, "w") as zipped:
        for name, content in files.items():
            put(zipped, name, content)
    with ZipFile(path) as zipped:
        assert {entry.filename: zipped.read(entry) for entry in zipped.infolist()} == files
