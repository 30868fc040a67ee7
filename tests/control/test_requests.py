"""Requests are passed through a directory and taken once; what is no request is set aside, whatever it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.control.requests import MOST_BYTES, Refused, Request, send, set_aside, take
from orchestrator.core import events
from orchestrator.driver.commands import Commands
from orchestrator.driver.signals import Signals
from orchestrator.errors import RecordsError
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import spec


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "sweep" / "requests"
    path.mkdir(parents=True)
    return path


def refused(directory: Path) -> str:
    """Why the only file there is refused. It is set aside, and not taken again."""
    (found,) = take(directory)
    assert isinstance(found, Refused)
    assert take(directory) == []
    assert all(path.name.endswith(".refused") for path in directory.iterdir())
    return found.why


def test_what_is_sent_is_taken_once_in_order(tmp_path: Path) -> None:
    directory = tmp_path / "requests"
    assert take(directory) == []
    first = send(directory, Request(kind="dismiss", trial=3, by="me"))
    send(directory, Request(kind="stop"))
    assert first.exists()
    assert take(directory) == [Request(kind="dismiss", trial=3, by="me"), Request(kind="stop")]
    assert not first.exists()
    assert take(directory) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"kind": "halt", "more": 1}', "unknown key 'more'"),
        ('{"kind": "explode"}', "kind: "),
        ('{"trial": 1}', "kind: field required"),
        ('{"kind": "dismiss"}', "trial: a number from 0 is needed"),
        ('{"kind": "dismiss", "trial": -1}', "trial: a number from 0 is needed"),
        ('{"kind": "dismiss", "trial": "3"}', "trial: input should be a valid integer"),
        ('{"kind": "dismiss", "trial": 1.5}', "trial: input should be a valid integer"),
        ('{"kind": "dismiss", "trial": [1]}', "trial: input should be a valid integer"),
        ('{"kind": "concurrency"}', "concurrency: a number from 1 is needed"),
        ('{"kind": "concurrency", "concurrency": -1}', "concurrency: a number from 1 is needed"),
        ('{"kind": "concurrency", "concurrency": 0}', "concurrency: a number from 1 is needed"),
        ('{"kind": "concurrency", "concurrency": "2"}', "concurrency: input should be a valid integer"),
        ('{"kind": "add"}', "config: a configuration is needed"),
        ('{"kind": "add", "config": [1]}', "config: input should be an object"),
        ('{"kind": "stop", "by": 7}', "by: input should be a valid string"),
        ("[" * 50_000, "JSON"),
        ('{"kind": "stop", "by": "' + "x" * MOST_BYTES + '"}', "larger than 65536 bytes"),
    ],
)
def test_another_form_is_set_aside(directory: Path, text: str, why: str) -> None:
    (directory / "1.json").write_text(text)
    assert why in refused(directory)
    assert set_aside(directory / "1.json").exists()


def test_what_is_no_regular_file_is_set_aside(directory: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.json"
    precious.write_text('{"kind": "stop"}')
    os.mkfifo(directory / "fifo.json")
    (directory / "directory.json").mkdir()
    (directory / "link.json").symlink_to(precious)
    (directory / "zero.json").symlink_to("/dev/zero")
    (directory / "nowhere.json").symlink_to("nowhere")
    found = take(directory)
    assert [each.why for each in found if isinstance(each, Refused)] == ["it is no regular file"] * 5
    assert precious.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_only_the_driver_s_user_and_an_allowed_group_can_ask(directory: Path) -> None:
    path = send(directory, Request(kind="stop"))
    os.chown(path, 12345, 12345)
    assert "belongs to another user, 12345" in refused(directory)
    os.chown(directory, 0, 12345)
    directory.chmod(0o775)
    path = send(directory, Request(kind="stop"))
    os.chown(path, 12345, 12345)
    assert take(directory) == [Request(kind="stop")]
    directory.chmod(0o777)
    path = send(directory, Request(kind="stop"))
    os.chown(path, 12345, 12345)
    (found,) = take(directory)
    assert isinstance(found, Refused)


def test_a_directory_that_leads_elsewhere_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    send(outside, Request(kind="stop"))
    (tmp_path / "requests").symlink_to(outside)
    with pytest.raises(OSError, match="requests"):
        take(tmp_path / "requests")
    assert len(list(outside.iterdir())) == 1


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_a_request_that_cannot_be_sent_is_a_sentence(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "requests")
    with pytest.raises(RecordsError, match="cannot write"):
        send(tmp_path / "requests", Request(kind="stop"))


class TestTheDriver:
    @pytest.fixture
    def paths(self, directory: Path) -> SweepPaths:
        return SweepPaths(directory.parent)

    @pytest.fixture
    def commands(self, paths: SweepPaths) -> Commands:
        return Commands(paths, Signals(), None, spec().parameter_space())

    def asked(self, commands: Commands, paths: SweepPaths, request: object) -> events.Event:
        (paths.requests / "1.json").write_text(json.dumps(request))
        (event,) = commands.poll(1.0)
        return event

    def test_says_what_it_sets_aside_and_goes_on(self, commands: Commands, paths: SweepPaths) -> None:
        event = self.asked(commands, paths, {"kind": "explode"})
        assert isinstance(event, events.Noted)
        assert event.text.startswith("set aside requests/1.json: kind: ")
        assert not commands.asked_to_end

    @pytest.mark.parametrize(
        "change",
        [{"lr": 7.0}, {"lr": "x"}, {"lr": [1]}, {"lr": {}}, {"lr": None}, {"kind": "odd"}, {"more": 1}, {"sizes": [9]}],
    )
    def test_takes_no_configuration_from_outside_the_space(
        self, commands: Commands, paths: SweepPaths, change: dict[str, Any]
    ) -> None:
        sound = {"lr": 1e-3, "kind": "good", "sizes": [8]}
        event = self.asked(commands, paths, {"kind": "add", "config": sound | change, "by": "me"})
        assert isinstance(event, events.Noted)
        assert event.text.startswith("ignored a configuration added by me: ")
        commands._next = 0.0
        assert isinstance(self.asked(commands, paths, {"kind": "add", "config": sound}), events.ConfigAdded)

    def test_tells_once_of_a_directory_that_cannot_be_read(self, tmp_path: Path) -> None:
        paths = SweepPaths(tmp_path)
        commands = Commands(paths, Signals(), None, spec().parameter_space())
        paths.requests.write_text("no directory")
        (event,) = commands.poll(1.0)
        assert isinstance(event, events.Noted)
        commands._next = 0.0
        assert commands.poll(2.0) == []
