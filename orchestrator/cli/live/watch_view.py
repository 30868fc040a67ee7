"""What somebody who watches a sweep wants to see of it: order, filter, the trial under the cursor, an open log.

Pure: a key and what is there in, another view out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.analysis.watch.listing import Order
from orchestrator.core.rows import State

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class View:
    """The state of a screen between two keys."""

    order: Order = Order.RUNNING
    only: State | None = None  # trials in this state; None: in any
    trial: int | None = None  # the one under the cursor; None: whichever is first
    top: int = 0  # how many trials are above the first one that is seen
    log: int | None = None  # the trial whose log is open; None: the list is
    up: int = 0  # how many lines of the log are below the last one that is seen; 0: it is followed
    done: bool = False

    def at(self, listed: Sequence[int]) -> int:
        """Where the cursor is among the trials that are listed. If its trial is not, it is where it can be."""
        if self.trial is None or self.trial not in listed:
            return 0
        return listed.index(self.trial)

    def scrolled(self, listed: Sequence[int], room: int) -> View:
        """With the cursor in sight, where there is room for so many trials."""
        at = self.at(listed)
        top = min(self.top, max(0, len(listed) - room))
        return replace(self, top=min(max(top, at - room + 1), at))


def press(view: View, key: str, *, listed: Sequence[int], states: Sequence[State], page: int, lines: int = 0) -> View:
    """What a key does.

    Args:
        view: What is seen.
        key: As ``watch_keys`` names it.
        listed: The trials in their order.
        states: Those in which there are trials.
        page: How many lines a page is.
        lines: How many the open log has.
    """
    if view.log is not None:
        return _press_in_log(view, key, page, max(0, lines - page))
    match key:
        case "q" | "escape":
            return replace(view, done=True)
        case "s" | "S":
            return replace(view, order=_next(list(Order), view.order, back=key == "S"), trial=None, top=0)
        case "f" | "F":
            return replace(view, only=_next([None, *states], view.only, back=key == "F"), trial=None, top=0)
        case "enter" if listed:
            return replace(view, log=listed[view.at(listed)], up=0)
    moved = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -page, "page down": page}.get(key)
    if key in ("home", "g", "end", "G"):
        moved = -len(listed) if key in ("home", "g") else len(listed)
    if moved is None or not listed:
        return view
    return replace(view, trial=listed[min(max(0, view.at(listed) + moved), len(listed) - 1)])


def _press_in_log(view: View, key: str, page: int, most: int) -> View:
    moved = {"up": 1, "k": 1, "down": -1, "j": -1, "page up": page, "page down": -page}.get(key, 0)
    match key:
        case "q" | "escape" | "enter" | "backspace":
            return replace(view, log=None)
        case "home" | "g":
            moved = most
        case "end" | "G":
            moved = -view.up
    return replace(view, up=min(max(0, view.up + moved), most))


def _next(values: Sequence[T], now: T, *, back: bool) -> T:
    at = values.index(now) if now in values else 0
    return values[(at + (-1 if back else 1)) % len(values)]
