"""Requests are passed through a directory and taken once; other files do no harm."""

from __future__ import annotations

from pathlib import Path

from orchestrator.control.requests import Request, send, take


def test_what_is_sent_is_taken_once_in_order(tmp_path: Path) -> None:
    directory = tmp_path / "requests"
    assert take(directory) == []
    first = send(directory, Request(kind="dismiss", trial=3, by="me"))
    send(directory, Request(kind="stop"))
    assert first.exists()
    assert take(directory) == [Request(kind="dismiss", trial=3, by="me"), Request(kind="stop")]
    assert not first.exists()
    assert take(directory) == []


def test_what_is_no_request_is_passed_over(tmp_path: Path) -> None:
    directory = tmp_path / "requests"
    send(directory, Request(kind="halt"))
    for name, text in {
        "1.json": "{",
        "2.json": '{"kind": "halt", "more": 1}',
        "3.json": "[]",
        ".x.json": "",
        "n": "",
    }.items():
        (directory / name).write_text(text)
    assert take(directory) == [Request(kind="halt")]
    assert sorted(path.name for path in directory.iterdir()) == [".x.json", "n"]
