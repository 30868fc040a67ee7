"""Events as people read them, a line each."""

from __future__ import annotations

import sys
import time

from rich.text import Text

from orchestrator.cli.formats import COLOURS
from orchestrator.cli.views.fitting import packed, words
from orchestrator.cli.views.text import one_line
from orchestrator.core.rows import ACCOUNT, SUGGESTED, EventRow, State
from orchestrator.core.rung_unit import rung_name
from orchestrator.core.schedulers import Action
from orchestrator.spec.sections import Unit

UNTOLD = frozenset([State.PENDING.value, SUGGESTED, ACCOUNT])
"""Events that are not news: a trial that waits to start, what it then asks for, and the time account of a session."""


def worth_telling(event: EventRow) -> bool:
    """Whether an event is news. A stop or a pause at a rung is not, since an event of the trial follows."""
    return event.event not in UNTOLD and not (event.event == "rung" and event.decision in (Action.STOP, Action.PAUSE))


def news_line(event: EventRow, width: int = sys.maxsize, unit: Unit = "steps") -> Text:
    """When, which trial, and what; what does not fit is left out by words. ``unit``: of the rungs."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))
    if event.trial is None:
        start = Text.assemble((clock, "dim"), "  ")
        said = words(one_line(event.reason or event.event), "yellow")
    else:
        word, reason = _told(event, unit)
        start = Text.assemble((clock, "dim"), f"  trial {event.trial:<5} ", (f"{word:<9}", COLOURS.get(word, "")), "  ")
        said = words(reason)
    return Text.assemble(start, packed(said, width - start.cell_len)[0])


def _told(event: EventRow, unit: Unit) -> tuple[str, str]:
    reason = one_line(event.reason or "")
    match event.event:
        case State.RUNNING:
            again = event.attempt is not None and event.attempt > 1
            return "running", f"attempt {event.attempt}" if again else ""
        case "rung":
            word = "audited" if event.decision == Action.AUDIT else "goes on"
            rung = rung_name(event.rung, unit)
            return word, f"{_number(event.value)} at rung {rung}, the cutoff is {_number(event.cutoff)}"
        case "retry":
            return "retry", f"after {event.decision}{': ' * bool(reason)}{reason}"
    return event.event, reason


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
