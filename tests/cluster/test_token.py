"""No other user of the machine reads the token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import jobs, token
from cluster.errors import ClusterError
from cluster.existing.connect import connected
from cluster.token import keep_private

RAYS = "from ray._private.authentication.authentication_token_setup import generate_and_save_token as make; make()"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_token_that_others_could_read_is_tightened(home: Path) -> None:
    (home / ".ray").mkdir(mode=0o755)
    file = home / ".ray" / "auth_token"
    file.write_text("planted")
    file.chmod(0o644)
    keep_private()
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert file.read_text() == "planted"


def test_a_token_is_tightened_before_it_is_presented(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("planted")
    (home / ".ray" / "auth_token").chmod(0o666)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    jobs._use_token()
    assert mode(home / ".ray" / "auth_token") == 0o600


def test_a_token_is_tightened_before_a_cluster_is_joined(home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("planted")
    (home / ".ray" / "auth_token").chmod(0o644)
    with pytest.raises(ClusterError), connected("127.0.0.1:9"):
        pass
    assert mode(home / ".ray" / "auth_token") == 0o600


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_the_token_that_ray_makes_is_out_of_the_reach_of_others_from_the_first_moment(home: Path, umask: int) -> None:
    script = f"import os; os.umask({umask}); from cluster.token import keep_private; keep_private(); {RAYS}"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "HOME": str(home)})
    assert mode(home / ".ray") == 0o700  # nobody else gets to the file
    keep_private()
    assert mode(home / ".ray" / "auth_token") == 0o600


def test_links_are_left_alone_and_so_is_a_user_without_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "other").write_text("not a token")
    (home / "other").chmod(0o644)
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").symlink_to(home / "other")
    keep_private()
    assert mode(home / "other") == 0o644
    monkeypatch.setenv("HOME", "/dev/null/nowhere")
    keep_private()
    monkeypatch.setattr(token.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    keep_private()
