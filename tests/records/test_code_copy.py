"""The copy of the code beside the records."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.code.files import CodeFile
from orchestrator.errors import RecordsError
from orchestrator.records.code_copy import LARGEST, write_code


def file(name: str, source: bytes = b"x = 1", *, kept: bool = True) -> CodeFile:
    return CodeFile(name=name, path=Path("/base") / name, source=source, fingerprint="", kept=kept)


def copied(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def test_paths_are_kept_and_a_later_copy_replaces_it_as_a_whole(tmp_path: Path) -> None:
    directory = tmp_path / "code"
    write_code(directory, [file("train.py"), file("pkg/sub.py", b"x = 2"), file("../../lib/m.py", b"x = 3")])
    assert copied(directory) == {"train.py": b"x = 1", "pkg/sub.py": b"x = 2", "_above/_above/lib/m.py": b"x = 3"}
    write_code(directory, [file("train.py", b"x = 4")])
    assert copied(tmp_path) == {"code/train.py": b"x = 4"}, "nothing is left over"
    write_code(directory, [])
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_copied(tmp_path: Path) -> None:
    cell = CodeFile(name="__main__:train", path=None, source=b"", fingerprint="", kept=False)
    keys = [file("my_secrets.py"), file("aws/Credentials.py")]
    large, link = file("large.py", b"#" * (LARGEST + 1)), file("link.py", kept=False)
    write_code(tmp_path / "code", [cell, *keys, large, link, file("train.py")])
    assert copied(tmp_path / "code") == {"train.py": b"x = 1"}


def test_what_a_crash_left_is_removed(tmp_path: Path) -> None:
    for left in (".code.tmp", ".code.old"):
        (tmp_path / left / "inner").mkdir(parents=True)
    write_code(tmp_path / "code", [file("train.py")])
    assert copied(tmp_path) == {"code/train.py": b"x = 1"}


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match=r"cannot write .*file/code"):
        write_code(tmp_path / "file" / "code", [file("train.py")])
