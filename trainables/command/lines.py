"""Cuts a program's output into lines, as it comes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

LONGEST = 1_000_000
"""Characters of a line; what is longer is no line of metrics, and is dropped."""

_END = re.compile(r"[\r\n]")


class Lines:
    """One stream of a program. A carriage return ends a line as well: progress bars write nothing else for long."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._too_long = False

    def decoded(self, data: bytes, *, last: bool = False) -> str:
        """The text of the next bytes; a character that is cut off waits for its other bytes."""
        return self._decoder.decode(data, last)

    def cut(self, text: str, *, last: bool = False) -> Iterator[str]:
        """The lines that end with this text, without their ends; with ``last`` also one that does not end."""
        *ended, rest = _END.split(text)
        for line in ended:
            if not self._too_long:
                yield self._rest + line
            self._rest, self._too_long = "", False
        self._rest += rest
        if len(self._rest) > LONGEST:
            self._rest, self._too_long = "", True
        if last and self._rest:
            yield self._rest
            self._rest = ""
