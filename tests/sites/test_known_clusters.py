"""Tokens and code go only to clusters that the user has named; whatever a directory of results says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from cluster.jobs import Jobs
from orchestrator.cli.app import main
from orchestrator.errors import ClusterUseError
from orchestrator.records.remote_record import Remote
from orchestrator.sites import known_clusters
from orchestrator.sites.known_clusters import clusters_file, in_clear, reach_named, reach_recorded
from orchestrator.sites.known_clusters import known_clusters as known


class Listener:
    """Something that listens, and keeps what it is sent."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                asking, _ = self._socket.accept()
            except OSError:
                return
            asking.settimeout(1)
            try:
                self.heard.append(asking.recv(65536))
            except OSError:
                self.heard.append(b"")
            asking.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    opened = Listener()
    yield opened
    opened.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("RAY_AUTH_TOKEN", "planted-token" * 4)
    return tmp_path / "state"


def foreign(results: Path, address: str, spec: Path, *, ended: bool = False) -> None:
    """A directory that somebody else has made."""
    remote = Remote(address=address, jobs=("sweep-x-1",), spec=str(spec), results="/r", directory="/r/x", ended=ended)
    (results / "x").mkdir(parents=True)
    (results / "x" / "remote.json").write_text(json.dumps(asdict(remote)))


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    "words",
    ["ls", "show x", "resume x", "pull x", "logs x", "logs x 0", "logs x -f", "stop x", "add x --config {lr:\\ 1}",
     "watch x", "next x", "best x", "report x", "show x --json", "ls --json", "verify x", "clean x"],
)  # fmt: skip
def test_an_address_from_a_foreign_directory_is_sent_nothing(
    words: str, ended: bool, tmp_path: Path, state: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "spec.yaml").write_text("name: x\n")
    foreign(tmp_path / "results", listener.address, tmp_path / "private" / "spec.yaml", ended=ended)
    code = main(words.replace("\\ ", " ").split(" ", 3) if words.startswith("add") else words.split())
    assert listener.heard == []
    said = capfd.readouterr()
    assert "internal error" not in said.err
    if words in ("show x", "resume x", "pull x", "logs x"):
        assert code == 2
        assert f"add this address as a line to {clusters_file()}" in said.err


def test_a_cluster_that_was_named_is_remembered_and_told_of_once(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[str] = []

    def reach(address: str, *, patience: float = 1.0) -> Jobs:
        reached.append(address)
        return Jobs(None, address)

    monkeypatch.setattr(known_clusters.Jobs, "reach", reach)
    with pytest.raises(ClusterUseError, match="not sent a sweep"):
        reach_recorded("http://head:8265")
    assert reached == []
    jobs, told = reach_named("http://head:8265")
    assert jobs.address == "http://head:8265"
    assert "can read your token" in told
    assert reach_named("http://head:8265")[1] == ""
    assert reach_recorded("http://head:8265").address == "http://head:8265"
    with pytest.raises(ClusterUseError):
        reach_recorded("http://head:8266")
    assert known() == ["http://head:8265"]
    assert (clusters_file().stat().st_mode & 0o777, clusters_file().parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("address", "clear"),
    [("http://head:80", True), ("http://10.0.0.1:1", True), ("http://[fd00::1]:1", True),
     ("http://127.0.0.1.evil.org:1", True),
     ("https://head:1", False), ("http://localhost:1", False), ("http://127.0.0.1:1", False),
     ("http://[::1]:1", False)],
)  # fmt: skip
def test_what_is_not_encrypted_is_told(address: str, clear: bool) -> None:
    assert bool(in_clear(address)) is clear


def test_without_a_place_for_the_file_the_launch_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(known_clusters.Jobs, "reach", lambda address: Jobs(None, address))
    assert "cannot write" in reach_named("https://head:1")[1]
