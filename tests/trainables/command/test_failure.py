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


@pytest.mark.parametrize(
    ("status", "output", "kind", "message"),
    [
        (1, TRACEBACK, "ValueError", "ValueError: lr must be below 1 (ended with exit status 1)"),
        (3, "no such file\n", "ExitStatus", "the program ended with exit status 3; its last line: no such file"),
        (2, "", "ExitStatus", "the program ended with exit status 2, and printed nothing"),
        (-9, "x", "Signal", "the program was ended by SIGKILL, perhaps because memory ran out; its last line: x"),
        (-11, TRACEBACK, "Signal", "was ended by SIGSEGV"),
        (137, "", "ExitStatus", "exit status 137, as of a command that was ended by SIGKILL, perhaps because memory"),
        (255, "", "ExitStatus", "exit status 255, and"),
    ],
)
def test_how_it_ended_and_what_it_said_last(status: int, output: str, kind: str, message: str) -> None:
    failed = ProgramFailed(status, output)
    assert failed.kind == kind
    assert message in str(failed)
