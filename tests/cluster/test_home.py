"""A user without a home that Ray can use gets one for the time of the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.sites.profiles import profiles, profiles_file

SCRIPT = """
import json, os, pwd
def nobody(uid): raise KeyError(uid)
pwd.getpwuid = nobody
from cluster.local.home import ensure_home
ensure_home()
home = os.environ["HOME"]
ensure_home()
print(json.dumps([home, os.environ["HOME"], os.access(home, os.W_OK), os.environ.get("XDG_CACHE_HOME")]))
"""


def _run(home: Path | None) -> tuple[str, str, bool, str | None]:
    surroundings = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    if home is not None:
        surroundings["HOME"] = str(home)
    command = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=surroundings)
    first, second, writable, caches = json.loads(run.stdout)
    return first, second, writable, caches


@pytest.mark.parametrize("missing", [True, False])
def test_without_one_a_process_has_one_that_ends_with_it(tmp_path: Path, missing: bool) -> None:
    first, second, writable, _ = _run(tmp_path / "missing" if missing else None)
    assert first == second
    assert writable
    assert first != str(tmp_path / "missing")
    assert not Path(first).exists()


def test_a_home_that_can_be_used_stays(tmp_path: Path) -> None:
    assert _run(tmp_path) == (str(tmp_path), str(tmp_path), True, None)


def test_caches_in_a_home_that_refuses_are_still_read(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    denied = "access, os.access = os.access, lambda *_: False\nensure_home()\nos.access = access\nhome"
    refusing = SCRIPT.replace("ensure_home()\nhome", denied)
    surroundings = {**os.environ, "HOME": str(tmp_path)}
    surroundings.pop("XDG_CACHE_HOME", None)
    run = subprocess.run([sys.executable, "-c", refusing], capture_output=True, text=True, check=True, env=surroundings)
    home, _, _, caches = json.loads(run.stdout)
    assert home != str(tmp_path)
    assert caches == str(tmp_path / ".cache")


def test_profiles_need_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CONFIG_HOME", "SWEEP_PROFILES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert profiles_file().name == "profiles.yaml"
    assert profiles() == {}
