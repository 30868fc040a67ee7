"""The app of `sweep watch`: looks at the records again and again, and lays out what they say."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.markup import escape
from textual.widgets import Footer, Input, Static

from orchestrator.analysis.watch.follow import Follower
from orchestrator.analysis.watch.listing import Order, Row
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.live.watch.headline import chosen, chosen_config, headline, news, nodes, rungs
from orchestrator.cli.live.watch.log_screen import LogScreen
from orchestrator.cli.live.watch.trial_table import Selection, TrialTable
from orchestrator.cli.views.fitting import fitted
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.safe_text import printable

LOOK_S = 1.0
"""Seconds between two looks at the records."""

FETCH_S = 10.0
"""Seconds between two fetches of a sweep that is on a cluster."""

SHORT = 18
"""On fewer lines there is no room for rungs, nodes and news."""

ABOUT = 2
"""The most lines on the configuration of the chosen trial."""

APART = 3
"""Columns between the rungs and the nodes."""

Fetch = Callable[[Callable[[str], None]], None]
T = TypeVar("T")


def follow(paths: SweepPaths, fetch: Fetch | None = None) -> None:
    """Show the sweep until somebody leaves, by q or Ctrl-C.

    Args:
        paths: What is read of it.
        fetch: Brings that up to date, where it is a copy, and tells what stands in its way.

    Raises:
        RecordsError: sweep.json is damaged.
    """
    app = WatchApp(paths, fetch)
    for name in ("COLUMNS", "LINES"):  # Textual would take them for the terminal's size, also after a resize
        os.environ.pop(name, None)
    app.run()
    if app.error is not None:
        raise app.error


class WatchApp(App[None]):
    """One sweep on a terminal.

    Attributes:
        error: What ended the app, if something went wrong.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Static { height: auto; padding: 0 1; }
    TrialTable {
        height: 3fr; min-height: 4; border-top: solid ansi_bright_black;
        border-title-color: ansi_default; border-title-style: bold;
    }
    #lower { border-top: solid ansi_bright_black; }
    #news { height: 1fr; max-height: 12; border-top: solid ansi_bright_black; }
    #filter { border: none; height: 1; padding: 0 1; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("escape", "leave", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]

    def __init__(self, paths: SweepPaths, fetch: Fetch | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._width, self._height = 78, 24  # of what is drawn, as long as nobody says otherwise
        self._head, self._chosen = Static(id="head"), Static(id="chosen")
        self._lower, self._news = Static(id="lower"), Static(id="news")
        self._filter = _Filter(id="filter", placeholder="words, or optimizer=adam lr<0.01", select_on_focus=False)
        self.theme = "ansi-dark"
        self.error: Exception | None = None
        self.selection = Selection()
        self.table = TrialTable()
        self._paths = paths
        self._follower = Follower(paths)
        self.scene = self._follower.look(clock())  # before anything is drawn
        self._fetching = _Fetching(fetch) if fetch is not None else None

    def compose(self) -> ComposeResult:
        """From the top: the head, the trials, the chosen one, rungs and nodes, news, the keys."""
        yield self._head
        yield self.table
        yield self._chosen
        yield self._lower
        yield self._news
        yield self._filter
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to follow the records."""
        self.table.focus()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.run_worker(self._follow(), exclusive=True)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Read what has changed in the records, beside what is drawn meanwhile; and draw it."""
        scene = await asyncio.to_thread(self._follower.look, self._clock())
        if self._fetching is not None and self._fetching.trouble:
            scene = replace(scene, trouble=self._fetching.trouble)
        before, self.scene = self.scene, scene
        if scene.running or replace(scene, now=0.0) != replace(before, now=0.0):
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out anew."""
        self._width, self._height = event.size.width - 2, event.size.height
        self._draw()

    # What keys and the mouse do

    def action_order(self, by: int) -> None:
        """List the trials in the next order, or in the one before."""
        self._select(replace(self.selection, order=_next(list(Order), self.selection.order, by)))

    def action_state(self, by: int) -> None:
        """List only trials in the next state that there is, or in any."""
        states = [None, *self.scene.states]
        self._select(replace(self.selection, state=_next(states, self.selection.state, by)))

    def action_filter(self) -> None:
        """Type what the trials have to match."""
        self._filter.display = True
        self._filter.focus()

    def action_leave(self) -> None:
        """Drop the filter; without one, leave."""
        if not self._filter.display:
            self.exit()
            return
        self._filter.clear()
        self._close_filter()

    def action_interrupt(self) -> None:
        """Ctrl-C: copy what is selected with the mouse; leave, if nothing is."""
        if self.screen.get_selected_text():
            self.screen.action_copy_text()
        else:
            self.exit()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter with every letter."""
        self._select(replace(self.selection, text=event.value))

    def on_input_submitted(self) -> None:
        """Back to the list; the filter stays."""
        self._close_filter()

    def on_trial_table_moved(self) -> None:
        """Tell of another trial."""
        self._draw_chosen()

    def on_trial_table_opened(self, event: TrialTable.Opened) -> None:
        """Show its log."""
        row = self._row(event.trial)
        if row is not None:
            self.push_screen(LogScreen(row, self._paths.log(row.trial)))

    def on_trial_table_sorted(self, event: TrialTable.Sorted) -> None:
        """List the trials in that order."""
        self._select(replace(self.selection, order=event.order))

    def _select(self, selection: Selection) -> None:
        self.selection = selection
        self.table.show(self.scene, selection)
        self._draw_chosen()

    def _close_filter(self) -> None:
        self._filter.display = bool(self._filter.value)
        self.table.focus()

    def _row(self, trial: int) -> Row | None:
        listing = self.scene.listing
        return listing.row(trial) if listing is not None else None

    # Drawing

    def _draw(self) -> None:
        width, height = self._width, self._height
        self._head.update(Text("\n").join(headline(self.scene, width)))
        lower = self._lower_of(self.scene, width, max(3, height // 4))
        self._lower.display = lower is not None and height >= SHORT
        self._news.display = height >= SHORT
        if lower is not None:
            self._lower.update(lower)
        self.table.show(self.scene, self.selection)
        self._draw_chosen()
        self._draw_news()
        self.call_after_refresh(self._draw_news)  # for as many lines as there are by then
        if isinstance(self.screen, LogScreen) and (row := self._row(self.screen.trial)) is not None:
            self.screen.show(row)

    def _draw_chosen(self) -> None:
        row, width = self.table.current, self._width
        self._chosen.display = row is not None
        if row is not None:
            self._chosen.update(Text("\n").join(chosen(row, width, self._lines_on_chosen(width))))
        selection, listed = self.selection, len(self.table.listed)
        parts = [f"{self.table.cursor + 1 if listed else 0}/{listed}", selection.order, selection.state or "all states"]
        if selection.text.strip():
            parts.append(f"filter: {printable(selection.text)}")
        self.table.border_title = escape(fitted([Text(part) for part in parts], width - 4, gap=" · ").plain)

    def _lines_on_chosen(self, width: int) -> int:
        """As many whichever trial it is, or the screen would jump."""
        best = self.scene.best
        if self._height < SHORT or best is None:
            return 1
        return len(chosen_config(best, width, ABOUT)) + 1

    def _draw_news(self) -> None:
        size = self._news.content_size
        self._news.update(Text("\n").join(news(self.scene, size.width, size.height)))

    def _lower_of(self, scene: Scene, width: int, lines: int) -> RenderableType | None:
        """The rungs, and beside them the nodes; where both are too wide for that, below them."""
        for failed in (True, False):
            both = [each for each in (rungs(scene, lines), nodes(scene, lines, failed=failed)) if each is not None]
            if sum(self.console.measure(each).maximum + APART for each in both) - APART <= width:
                grid = Table.grid(padding=(0, APART, 0, 0))
                grid.add_row(*both)
                return grid if both else None
        fewer = lines // 2
        return Group(*(each for each in (rungs(scene, fewer), nodes(scene, fewer)) if each is not None))

    # How it ends

    def _handle_exception(self, error: Exception) -> None:
        """Leave the error to the command line, which tells of one as after any other command."""
        super()._handle_exception(error)
        self._exit_renderables.clear()
        self.error = error


class _Filter(Input):
    """What the trials have to match."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep"),
        Binding("escape", "app.leave", "clear", key_display="esc"),
    ]


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


def _next(values: Sequence[T], now: T, by: int) -> T:
    at = values.index(now) if now in values else 0
    return values[(at + by) % len(values)]
