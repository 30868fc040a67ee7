"""What is the machine's fault is a sentence, wherever it is met; what may be ours is an internal error."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from orchestrator.cli.app import main
from orchestrator.cli.machine_errors import machine_error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "No space left on device: /data/x"),
        (OSError(errno.EROFS, "Read-only file system", b"/data/x"), "Read-only file system: /data/x"),
        (PermissionError(errno.EACCES, "Permission denied", Path("/data/x")), "Permission denied: /data/x"),
        (OSError(errno.EMFILE, "Too many open files", "/data/x"), "Too many open files: /data/x (see: ulimit -n)"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files (see: ulimit -n)"),
        (
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "Resource temporarily unavailable (see: ulimit -u)",
        ),
        (
            OSError(errno.EACCES, "Permission denied", os.fsdecode(b"/data/\xff")),
            "Permission denied: /data/\N{REPLACEMENT CHARACTER}",
        ),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), f"File name too long: {'x' * 80}…{'x' * 80}"),
        (RuntimeError("can't start new thread"), "the system starts no further thread; see: ulimit -u"),
        (MemoryError(), "out of memory"),
    ],
)
def test_it_is_a_sentence(error: Exception, sentence: str) -> None:
    assert str(machine_error(error)).startswith(sentence)


@pytest.mark.parametrize(
    "error", [KeyError("a"), RuntimeError("another"), FileNotFoundError(errno.ENOENT, "No such file", "x")]
)
def test_what_may_be_ours_is_not(error: Exception) -> None:
    assert machine_error(error) is None


def test_a_command_that_meets_one_ends_with_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files", "/data/x")

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["ls", "--results", "/tmp"]) == 1
    assert capfd.readouterr().err.strip() == "error: Too many open files: /data/x (see: ulimit -n)"
    assert main(["ls", "--results", "/tmp", "--json"]) == 1
    assert json.loads(capfd.readouterr().err.splitlines()[-1])["error"]["code"] == "sweep-failed"


def test_links_that_lead_to_each_other_are_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises((RuntimeError, OSError)) as raised:
        loop.resolve(strict=True)
    assert str(machine_error(raised.value)) == f"Too many levels of symbolic links: {loop}"


def test_text_that_no_program_can_write_is_named() -> None:
    with pytest.raises(UnicodeEncodeError) as found:
        ("/data/" + os.fsdecode(b"\xff")).encode()
    assert str(machine_error(found.value)) == "a path or a text is not UTF-8: /data/?"
