"""Single keys from a terminal, without waiting for the end of a line."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Self

SEQUENCES = {
    "A": "up",
    "B": "down",
    "H": "home",
    "F": "end",
    "5~": "page up",
    "6~": "page down",
    "1~": "home",
    "4~": "end",
    "7~": "home",
    "8~": "end",
}
"""What follows ESC [ or ESC O, by terminals as they are: xterm, the Linux console, screen, rxvt."""

PLAIN = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace", " ": "page down", "\x04": "q"}


def names(text: str) -> list[str]:
    """The keys that were pressed, by what the terminal sends for them. A key that has no name here is left out."""
    found = []
    while text:
        if text[0] != "\x1b":
            key, text = PLAIN.get(text[0], text[0]), text[1:]
            if key.isprintable():
                found.append(key)
        elif text[1:2] in ("[", "O"):
            end = next((at for at, letter in enumerate(text[2:], 2) if "@" <= letter <= "~"), len(text) - 1)
            found += [SEQUENCES[text[2 : end + 1]]] if text[2 : end + 1] in SEQUENCES else []
            text = text[end + 1 :]
        else:
            found.append("escape")
            text = text[1:]
    return found


class Keys:
    """The keyboard, while it is read key by key; what is typed is not shown, and Ctrl-C works as ever."""

    def __enter__(self) -> Self:
        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def pressed(self, wait_s: float) -> list[str]:
        """What was pressed by now; if nothing, what is pressed first within so many seconds.

        Raises:
            EOFError: The terminal is gone.
        """
        if not select.select([self._file], [], [], wait_s)[0]:
            return []
        data = os.read(self._file, 1024)
        if not data:
            raise EOFError
        return names(data.decode(errors="replace"))
