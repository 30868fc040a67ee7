"""The log of a trial, followed until somebody scrolls up in it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Log, Static

from orchestrator.analysis.watch.listing import Row
from orchestrator.cli.live.watch.headline import FAINT, STYLES, chosen_config
from orchestrator.cli.live.watch.log_tail import LogTail, folded
from orchestrator.cli.views.fitting import fitted, packed, words
from orchestrator.formatting import count
from orchestrator.safe_text import printable

KEPT = 10_000
"""Lines that can be scrolled back to."""

LOOK_S = 0.25
"""Seconds between two looks at the log."""

ABOUT = 6
"""The most lines on the configuration."""


class LogScreen(Screen[None]):
    """What one trial has printed."""

    DEFAULT_CSS = """
    LogScreen {
        #about { height: auto; padding: 0 1; }
        Log {
            height: 1fr; padding: 0 1; border-top: solid ansi_bright_black; border-title-color: ansi_default;
            scrollbar-gutter: stable; scrollbar-size-vertical: 1; overflow-x: hidden;
        }
        #unfinished { height: auto; max-height: 3; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,backspace", "back", "back", key_display="q"),
        Binding("home,g", "edge(0)", "start", key_display="home"),
        Binding("end,G", "edge(1)", "follow", key_display="end"),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
    ]

    def __init__(self, row: Row, path: Path) -> None:
        super().__init__()
        self.trial = row.trial
        self._row = row
        self._path = path
        self._tail = LogTail(path)
        self._lines: list[str] = []
        self._following = True
        self._log = Log(max_lines=KEPT)
        self._log.can_focus = False  # or its own keys, which glide, would come before ours
        self._about = Static(id="about")
        self._unfinished = Static(id="unfinished")

    def compose(self) -> ComposeResult:
        """The trial, its log, and the line that is being written."""
        yield self._about
        yield self._log
        yield self._unfinished
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Follow the log, and say whether it is followed."""
        self.watch(self._log, "scroll_y", self._scrolled, init=False)
        self.set_interval(LOOK_S, self.look)

    def on_resize(self) -> None:
        """Fold the lines anew."""
        self._draw()
        self.call_after_refresh(self._fold)

    def show(self, row: Row) -> None:
        """What the records say of the trial by now."""
        if row != self._row:
            self._row = row
            self._draw()

    def look(self) -> None:
        """Add what was printed since the last look; who has scrolled up stays at the same lines."""
        new = self._tail.look()
        if new:
            self._lines = [*self._lines, *new][-KEPT:]
            before = self._log.line_count
            lines = folded(new, self._width)
            self._write(lines)
            gone = before + len(lines) - self._log.line_count
            if gone > 0 and not self._log.is_vertical_scroll_end:
                self._log.scroll_to(y=self._log.scroll_y - gone, animate=False)
        self._unfinished.update(Text(self._tail.unfinished))
        self._unfinished.display = bool(self._tail.unfinished)
        self._title_log()

    def action_back(self) -> None:
        """Back to the list."""
        self.dismiss()

    def action_move(self, by: int) -> None:
        """Scroll by so many lines, at once: a glide would only be slower."""
        now = min(self._log.scroll_y, self._log.max_scroll_y)  # it may have grown since it was scrolled
        self._log.scroll_to(y=now + by, animate=False, immediate=True)

    def action_page(self, by: int) -> None:
        """Scroll by so many pages."""
        self.action_move(by * self._log.scrollable_content_region.height)

    def action_edge(self, where: int) -> None:
        """Scroll to the first line, or to the last and follow the log."""
        self.action_move((2 * where - 1) * self._log.line_count)

    @property
    def _width(self) -> int:
        return max(1, self._log.scrollable_content_region.width)

    def _fold(self) -> None:
        following = self._following
        self._log.clear()
        self._write(folded(self._lines, self._width))
        self._following = following
        if following:
            self._log.scroll_end(animate=False, immediate=True)
        self.look()

    def _scrolled(self) -> None:
        self._following = self._log.is_vertical_scroll_end
        self._title_log()

    def _write(self, lines: list[str]) -> None:
        self._log.write_lines(f"{line}\n" for line in lines)  # a Log drops an empty line that has no end

    def _draw(self) -> None:
        width = max(1, self.size.width - 2)
        row = self._row
        state = Text.assemble((row.state, STYLES.get(row.state, "")))
        parts = [state, Text(printable(str(self._path)), FAINT)]
        reason = packed(words(row.reason or "", "yellow"), width, lines=2) if row.reason else []
        self._about.update(Text("\n").join([*chosen_config(row, width, ABOUT), *reason, fitted(parts, width)]))

    def _title_log(self) -> None:
        below = round(self._log.max_scroll_y - self._log.scroll_y)
        if not self._lines and not self._tail.unfinished:
            self._log.border_title = "log: nothing printed yet"
        else:
            self._log.border_title = f"log: {count(below, 'line')} below" if below > 0 else "log: following"
