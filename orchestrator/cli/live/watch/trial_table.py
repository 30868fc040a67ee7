"""The list of trials: a header that sorts, and rows that are made only while they are in sight.

A DataTable holds all of its cells, and 10,000 trials are a second of work at every look at the records; here it is
Textual's Line API over a ``Listing``, whose rows stay in Arrow until they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orchestrator.analysis.watch.listing import Order, Row
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.live.watch.headline import FAINT, STYLES
from orchestrator.cli.views.fitting import MORE, packed, pairs
from orchestrator.cli.views.sparkline import sparkline
from orchestrator.cli.views.text import cell
from orchestrator.core.rows import State
from orchestrator.formatting import duration, to_spread
from orchestrator.safe_text import printable

WIDE = 110
"""From so many columns on, there are columns of nodes and times, and curves may be longer than the least."""

CURVES = (8, 40)
"""The least and the most columns of a curve."""

CONFIGURATION = "configuration"
MARK = "▾"
"""Before the name of the column by which the trials are ordered."""

SORTED_BY = {Order.RUNNING: "state", Order.NEWEST: "trial", Order.FURTHEST: "last step", Order.LONGEST: "trained"}
"""The columns that stand for an order; that of the metric stands for the best first."""

Curve = list[tuple[int, float]]

_GAP = 2
_LEFT = frozenset(["state", "curve", "node", CONFIGURATION])


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which trials are listed, and in which order."""

    order: Order = Order.RUNNING
    state: State | None = None  # None: in any
    text: str = ""


class TrialTable(ScrollView, can_focus=True):
    """The trials of a scene that are selected.

    Attributes:
        trial: The one under the cursor; None: whichever is first.
        listed: The trials in their order.
    """

    DEFAULT_CSS = "TrialTable { overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First", show=False),
        Binding("end,G", "edge(1)", "Last", show=False),
        Binding("enter", "open", "log"),
        Binding("s", "app.order(1)", "order"),
        Binding("S", "app.order(-1)", show=False),
        Binding("f", "app.state(1)", "state"),
        Binding("F", "app.state(-1)", show=False),
        Binding("slash", "app.filter", "filter", key_display="/"),
    ]

    class Moved(Message):
        """Another trial is under the cursor."""

    @dataclass
    class Opened(Message):
        """The log of a trial is asked for."""

        trial: int

    @dataclass
    class Sorted(Message):
        """Another order is asked for."""

        order: Order

    def __init__(self) -> None:
        super().__init__()
        self.trial: int | None = None
        self.listed: list[int] = []
        self._places: list[int] = []
        self._scene: Scene | None = None
        self._spread = 0.0  # of its results
        self._selection = Selection()
        self._widest: dict[str, int] = {}  # columns so far: they grow, so that nothing jumps to and fro
        self._rows: dict[
            int, tuple[Row, list[tuple[int, float]]]
        ] = {}  # by place in the list: of this scene, those seen so far

    def show(self, scene: Scene, selection: Selection) -> None:
        """Another scene, or another selection; the cursor stays on its trial, and in sight if it was."""
        was_seen = self._seen()
        listing = scene.listing
        if listing is not None and (
            self._scene is None or (self._scene.listing, self._selection) != (listing, selection)
        ):
            self._places = listing.ordered(selection.order, selection.state, selection.text)
            self.listed = listing.trials(self._places)
        if self._scene is not None and selection != self._selection:
            self.trial, was_seen = None, True
        self._scene, self._selection = scene, selection
        self._spread = scene.spread
        self._rows.clear()
        self._resized()
        if self.listed:  # before the header is drawn, so that it has the columns' widths
            self._row(min(self.scroll_offset.y, len(self.listed) - 1))
        if was_seen:
            self._bring_into_sight()
        self.refresh()

    @property
    def cursor(self) -> int:
        """Where the cursor is in the list. If its trial is not in the list, it is on the first."""
        return self.listed.index(self.trial) if self.trial in self.listed else 0

    @property
    def current(self) -> Row | None:
        """The trial under the cursor."""
        return self._row(self.cursor)[0] if self.listed else None

    # Cursor, mouse and scrolling

    def action_move(self, by: int) -> None:
        """Move the cursor by so many trials."""
        if self.listed:
            self.trial = self.listed[min(max(0, self.cursor + by), len(self.listed) - 1)]
            self._bring_into_sight()
            self.refresh()
            self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move it by so many pages."""
        self.action_move(by * max(1, self._page))

    def action_edge(self, where: int) -> None:
        """Move it to the first or the last trial."""
        self.action_move(where * len(self.listed))

    def action_open(self) -> None:
        """Ask for the log of the trial under the cursor."""
        if self.listed:
            self.post_message(self.Opened(self.listed[self.cursor]))

    def on_click(self, event: events.Click) -> None:
        """A click on the header sorts, one on a row chooses it, and a second one opens its log."""
        offset = event.get_content_offset(self)
        if offset is None or self._scene is None:
            return
        if offset.y == 0:
            self._sort_by(offset.x)
        elif (at := self.scroll_offset.y + offset.y - 1) < len(self.listed):
            self.action_move(at - self.cursor)
            if event.chain == 2:
                self.action_open()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._resized()
        self._bring_into_sight()

    @property
    def _page(self) -> int:
        return self.scrollable_content_region.height - 1

    def _seen(self) -> bool:
        return 0 <= self.cursor - self.scroll_offset.y < max(1, self._page)

    def _resized(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.listed) + 1)

    def _bring_into_sight(self) -> None:
        top, at = self.scroll_offset.y, self.cursor
        wanted = min(max(top, at - max(1, self._page) + 1), at)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def _sort_by(self, x: int) -> None:
        orders = {column: order for order, column in SORTED_BY.items()} | {self._metric: Order.VALUE}
        left = 0
        for name, width in self._columns().items():
            left += width + _GAP
            if x < left:
                if name in orders:
                    self.post_message(self.Sorted(orders[name]))
                return

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, which stays, or a row."""
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y - 1
        style = self.rich_style
        if y == 0:
            text = self._header()
        elif at < len(self.listed):
            text = self._drawn(at)
            if at == self.cursor:
                text, style = Text(text.plain), style + Style(reverse=True, bold=True)
        elif at == 0:
            text = Text.assemble((self._why_empty(), FAINT))
        else:
            text = Text()
        strip = Strip(text.render(self.app.console), text.cell_len).apply_style(style)
        return strip.adjust_cell_length(width, style)

    def _why_empty(self) -> str:
        if self._scene is None or not self._scene.states:
            return " waiting for the first trial …"
        return " no trial matches"

    @property
    def _metric(self) -> str:
        return "" if self._scene is None else printable(self._scene.objective.metric)

    def _columns(self) -> dict[str, int]:
        """The columns and their widths, without the gaps before them."""
        width = self.scrollable_content_region.width
        wide = width >= WIDE
        least = {"trial": 5, "state": 9, self._metric: max(6, len(self._metric)), "last step": 9}
        if wide or self._selection.order is Order.LONGEST:
            least["trained"] = 7
        columns = {name: max(least[name], self._widest.get(name, 0)) for name in least}
        if wide:
            columns["node"] = max(4, self._widest.get("node", 0))
        left = width - sum(columns.values()) - _GAP * (len(columns) + 2)
        curve = min(CURVES[1], max(CURVES[0], left // 3)) if wide else CURVES[0]
        if left - curve < len(CONFIGURATION):  # which is the last to go
            return columns | {CONFIGURATION: left + _GAP}
        node = {"node": columns.pop("node")} if wide else {}
        return columns | {"curve": curve} | node | {CONFIGURATION: left - curve}

    def _header(self) -> Text:
        marked = self._metric if self._selection.order is Order.VALUE else SORTED_BY[self._selection.order]
        cells = []
        for name, width in self._columns().items():
            named = (MARK if name == marked else " ") + name
            cells.append(" " + (named.ljust(width + 1) if name in _LEFT else named.rjust(width + 1)))
        return Text.assemble(("".join(cells)[_GAP - 1 :], "bold"))

    def _drawn(self, at: int) -> Text:
        row, curve = self._row(at)
        style = STYLES.get(row.state, "")
        columns = self._columns()
        texts = {
            "trial": Text(str(row.trial)),
            "state": Text(row.state, style),
            self._metric: Text(self._value(row)),
            "last step": Text(cell(row.step)),
            "trained": Text(duration(row.train_s)),
            "curve": Text(sparkline(curve, columns.get("curve", 0), self._scene.length if self._scene else 0), style),
            "node": Text(printable(row.node or "–")),
            CONFIGURATION: self._config(row, columns[CONFIGURATION]),
        }
        line = Text()
        for name, width in columns.items():
            space = Text(" " * max(0, width - texts[name].cell_len))
            line = Text.assemble(line, " " * _GAP, *((texts[name], space) if name in _LEFT else (space, texts[name])))
        return line[_GAP - 1 :]

    def _value(self, row: Row) -> str:
        return cell(row.value) if row.value is None else to_spread(row.value, self._spread)

    @staticmethod
    def _config(row: Row, width: int) -> Text:
        """As much of a configuration as fits, in whole pairs."""
        shown = pairs(row.config)
        return packed(shown, width)[0] if shown and shown[0].cell_len <= width else Text(MORE if width > 0 else "")

    def _row(self, at: int) -> tuple[Row, Curve]:
        """A trial and its curve; they are made together with those around, which are seen next."""
        if at not in self._rows:
            page = max(1, self._page)
            around = range(max(0, at - page), min(len(self.listed), at + 2 * page))
            self._make([each for each in around if each not in self._rows])
        return self._rows[at]

    def _make(self, places: list[int]) -> None:
        assert self._scene is not None
        assert self._scene.listing is not None
        rows = self._scene.listing.rows([self._places[each] for each in places])
        curves = self._scene.curves([row.trial for row in rows])
        widest = dict(self._widest)
        for at, row in zip(places, rows, strict=True):
            self._rows[at] = row, curves.get(row.trial, [])
            texts = {
                "trial": str(row.trial),
                self._metric: self._value(row),
                "last step": cell(row.step),
                "trained": duration(row.train_s),
                "node": printable(row.node or ""),
            }
            widest |= {name: max(widest.get(name, 0), len(text)) for name, text in texts.items()}
        if widest != self._widest:
            self._widest = widest
            self.refresh()
