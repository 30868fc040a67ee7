"""Draws a watched sweep again whenever there is something new: in its records, from the keyboard, or in the size."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from orchestrator.analysis.watch.follow import Follower
from orchestrator.cli.live.watch_keys import Keys
from orchestrator.cli.live.watch_log import Log, folded
from orchestrator.cli.live.watch_screen import Frame, draw, draw_log
from orchestrator.cli.live.watch_view import View, press
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths

LOOK_S = 1.0
"""Seconds between two looks at the records."""

TICK_S = 0.2
"""Seconds after which a change of the terminal's size is noticed."""

FETCH_S = 10.0
"""Seconds between two fetches of a sweep that is on a cluster."""

Fetch = Callable[[Callable[[str], None]], None]


def follow(paths: SweepPaths, fetch: Fetch | None = None) -> None:
    """Show the sweep until somebody leaves, by q or Ctrl-C.

    Args:
        paths: What is read of it.
        fetch: Brings that up to date, where it is a copy, and tells what stands in its way.

    Raises:
        RecordsError: sweep.json is damaged.
    """
    follower = Follower(paths)
    fetching = _Fetching(fetch) if fetch is not None else None
    with suppress(KeyboardInterrupt, EOFError), Keys() as keys, _Screen(keys) as screen:
        watching = _Watching(paths, follower, screen)
        while not watching.view.done and not screen.left:
            watching.tick(time.monotonic(), keys.pressed(TICK_S), "" if fetching is None else fetching.trouble)


class _Watching:
    """One sweep and one screen."""

    def __init__(self, paths: SweepPaths, follower: Follower, screen: _Screen) -> None:
        self.view = View()
        self._paths = paths
        self._follower = follower
        self._screen = screen
        self._look_at = 0.0
        self._scene = follower.look(time.time())
        self._frame = Frame(lines=[], view=self.view, listed=[], page=1)
        self._log: Log | None = None
        self._size = (0, 0)

    def tick(self, now: float, keys: list[str], trouble: str) -> None:
        """Take the keys, look at the records if it is time to, and draw if anything is another than before."""
        new = bool(keys) or self._size != self._screen.size
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            scene = self._follower.look(time.time())
            scene = replace(scene, trouble=trouble) if trouble else scene
            new = new or scene.running or replace(scene, now=0.0) != replace(self._scene, now=0.0)
            self._scene = scene
        for key in keys:
            self._press(key)
        if self._log is not None and self.view.up:
            self.view = replace(self.view, up=self.view.up + self._log.look())
        elif self._log is not None:
            new = bool(self._log.look()) or new
        if new and not self.view.done:
            self._draw()

    def _press(self, key: str) -> None:
        width, height = self._screen.size
        lines = len(folded(self._log.lines, width)) if self._log is not None else 0
        page = self._frame.page if self._log is None else max(1, height - 3)
        states = list(self._scene.states)
        self.view = press(self.view, key, listed=self._frame.listed, states=states, page=page, lines=lines)
        if self.view.log is None:
            self._log = None
        elif self._log is None:
            self._log = Log(self._paths.log(self.view.log))
            self._log.look()

    def _draw(self) -> None:
        self._size = width, height = self._screen.size
        if self._log is not None and self.view.log is not None:
            path = str(self._paths.log(self.view.log))
            lines = folded(self._log.lines, width)
            drawn = draw_log(self.view.log, path, lines, self.view.up, width=width, height=height)
            self._screen.show(drawn)
            return
        self._frame = draw(self._scene, self.view, width=width, height=height)
        self.view = self._frame.view
        self._screen.show(self._frame.lines)


class _Screen:
    """The terminal's other screen; what was on the first is there again at the end, and while we are suspended.

    Attributes:
        left: Whether there was a Ctrl-C. It only says so: in the middle of drawing, rich would keep what is to be
            written, and the terminal would stay as it is.
    """

    def __init__(self, keys: Keys) -> None:
        self.left = False
        self._keys = keys
        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> _Screen:
        self._before = signal.signal(signal.SIGINT, self._leave)
        self._live.start()
        signal.signal(signal.SIGTSTP, self._suspend)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        self._live.stop()
        signal.signal(signal.SIGINT, self._before)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, now. COLUMNS and LINES say what they were, and are not asked."""
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        return columns or 80, rows or 24

    def show(self, lines: list[Text]) -> None:
        """Put these lines in the place of what is seen."""
        self._console.size = ConsoleDimensions(*self.size)
        self._live.update(Text("\n").join(lines), refresh=True)

    def _leave(self, _: int, __: FrameType | None) -> None:
        self.left = True

    def _suspend(self, _: int, __: FrameType | None) -> None:
        """Ctrl-Z: give the terminal back, and take it again afterwards."""
        self.__exit__()
        self._keys.__exit__(None, None, None)
        os.kill(os.getpid(), signal.SIGTSTP)  # and here it goes on
        self._keys.__enter__()
        self.__enter__()


class _Fetching:
    """Fetches beside the screen, so that a slow network holds nothing up.

    Attributes:
        trouble: What stood in the way of the last fetch.
    """

    def __init__(self, fetch: Fetch) -> None:
        self.trouble = ""
        self._fetch = fetch
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(FETCH_S)
            told: list[str] = []
            try:
                self._fetch(told.append)
            except SweepError as error:
                told.append(str(error))
            self.trouble = " ".join(told)
