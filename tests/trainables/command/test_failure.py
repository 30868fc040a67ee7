from __future__ import annotations

import pytest

from trainables.command.failure import ProgramFailed

TRACEBACK = """epoch 1
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
my.errors.BadRate: x
ValueError: lr must be below 1
"""
NEW, RANK = "\n", "\n[rank1]: "


@pytest.mark.parametrize(
    ("status", "output", "kind", "message", "wordless"),
    [
        (1, TRACEBACK, "ValueError", "ValueError: lr must be below 1 (ended with exit status 1)", False),
        (1, f"[rank1]: {TRACEBACK.replace(NEW, RANK)}", "ValueError", "ValueError: lr must be below 1 (ended", False),
        (3, "no such file\n", "ExitStatus", "the program ended with exit status 3; its last line: no such file", True),
        (2, "", "ExitStatus", "the program ended with exit status 2, and printed nothing", True),
        (-9, "x", "Signal", "the program was ended by SIGKILL, perhaps because memory ran out; its last line: x", True),
        (-11, TRACEBACK, "Signal", "was ended by SIGSEGV", True),
        (
            137,
            "",
            "ExitStatus",
            "exit status 137, as of a command that was ended by SIGKILL, perhaps because memory",
            True,
        ),
        (-6, "terminate called", "Signal", "was ended by SIGABRT", False),
        (134, "", "ExitStatus", "as of a command that was ended by SIGABRT", False),
        (255, "", "ExitStatus", "exit status 255, and", True),
        (0, "done", "NoMetrics", "its last line: done", False),
    ],
)
def test_how_it_ended_and_what_it_said_last(status: int, output: str, kind: str, message: str, wordless: bool) -> None:
    failed = ProgramFailed(status, output)
    assert failed.kind == kind
    assert message in str(failed)
    assert failed.wordless is wordless
