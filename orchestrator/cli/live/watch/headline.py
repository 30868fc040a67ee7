"""The text around the list of trials: how far the sweep is, its best trial, rungs, nodes, and news. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from orchestrator.analysis.watch.listing import Row
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.formats import COLOURS
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.cli.views.fitting import Columns, fitted, packed, pairs, words
from orchestrator.cli.views.outlook import outlook_text
from orchestrator.cli.views.sparkline import progress_bar, sparkline
from orchestrator.cli.views.text import cell, rung_rows
from orchestrator.core.rows import State
from orchestrator.formatting import count, duration, to_spread
from orchestrator.safe_text import printable

BAR = (8, 24)
"""The fewest and the most columns of the progress bar."""

CURVE = 24
"""Columns of the best trial's curve, where there is room."""

STYLES: Mapping[str, str] = {
    **COLOURS,
    State.PENDING: "bright_black",
    State.STOPPED: "bright_black",
    State.CANCELLED: "bright_black",
    "running": "cyan",
}
FAINT = "bright_black"


def headline(scene: Scene, width: int) -> list[Text]:
    """How far the sweep is, what its trials came to, its best trial, and what is in the way of reading on."""
    lines = [_progress(scene, width), _counts(scene, width)]
    best = scene.best
    if best is not None and best.value is not None:
        curve = scene.curves([best.trial]).get(best.trial, [])
        drawn = sparkline(curve, min(CURVE, width // 5), scene.length)
        value = f"{scene.objective.metric} {to_spread(best.value, scene.spread)}"
        told = [Text.assemble("best ", (value, "green"), " "), Text(f"trial {best.trial} "), Text(f"{drawn} ", "green")]
        lines += packed([*told, *pairs(best.config)], width)
    if scene.outlook:
        lines += packed(words(outlook_text(scene.outlook, scene.objective.metric), FAINT), width)
    if scene.trouble:
        lines += packed(words(scene.trouble, "yellow"), width, lines=3)
    return lines


def _progress(scene: Scene, width: int) -> Text:
    name = Text(printable(scene.name), "bold")
    parts = [name, Text(scene.status, STYLES.get(scene.status, ""))]
    if scene.session is not None:
        parts.append(Text(duration(scene.seconds)))
    pace = [Text(f"{scene.per_minute:.3g} a minute", FAINT)] if scene.per_minute is not None else []
    pace = ([Text(f"about {duration(scene.left_s)} left", FAINT)] if scene.left_s else []) + pace
    if scene.share is None:
        return fitted([*parts, *pace], width)
    done = Text(f"{scene.done}/{scene.total}" if scene.total else count(scene.done, "trial"))
    room = width - fitted([*parts, done, *pace], width - BAR[0] - 2).cell_len - 2
    bar = min(BAR[1], max(BAR[0], room))
    return fitted([*parts, progress_bar(scene.share, bar), done, *pace], width)


def _counts(scene: Scene, width: int) -> Text:
    counts = Text(", ").join(Text(f"{n} {state}", STYLES.get(state, "")) for state, n in scene.states.items())
    objective = scene.objective
    aim = [printable(scene.trainable), f"{objective.mode} {printable(objective.metric)} ({objective.at} of a trial)"]
    return fitted([counts if scene.states else Text("no trials yet"), *(Text(part, FAINT) for part in aim)], width)


def chosen(row: Row, width: int, lines: int) -> list[Text]:
    """A trial's configuration on all of these lines but the last, and there why it ended."""
    config = chosen_config(row, width, max(1, lines - 1))
    reason = packed(words(row.reason or "", "yellow"), width)
    return [*config, *[Text()] * (lines - 1 - len(config)), *reason][:lines]


def chosen_config(row: Row, width: int, lines: int) -> list[Text]:
    """A trial's configuration on so many lines at most."""
    return packed([Text(f"trial {row.trial} ", "bold"), *pairs(row.config)], width, lines)


def rungs(scene: Scene, lines: int) -> Columns | None:
    """The rung table; of more rungs than there is room for, the highest."""
    rows = rung_rows(scene.rungs, scene.rung_unit)
    return _table([{name: cell(value) for name, value in row.items()} for row in rows[-max(1, lines - 1) :]])


def nodes(scene: Scene, lines: int, *, failed: bool = True) -> Columns | None:
    """The nodes and how many trials run and ran there; of more than there is room for, those with most that run.

    Args:
        scene: The sweep.
        lines: The most lines.
        failed: Whether to say how many failed there, if any did.
    """
    found = sorted(scene.listing.nodes if scene.listing is not None else [], key=lambda node: -node.running)
    shown = found if len(found) < lines else found[: max(1, lines - 2)]
    failed = failed and any(node.failed for node in found)
    rows = [
        {
            "node": printable(node.node),
            "running": str(node.running),
            "ended": str(node.ended),
            **({"failed": str(node.failed)} if failed else {}),
        }
        for node in shown
    ]
    if len(shown) < len(found):
        rows.append(dict.fromkeys(rows[0], "") | {"node": f"and {count(len(found) - len(shown), 'node')} more"})
    return _table(rows)


def _table(rows: list[dict[str, str]]) -> Columns | None:
    return Columns(rows, left=["node"]) if rows else None


def news(scene: Scene, width: int, lines: int) -> list[Text]:
    """The newest events, a line each, the newest last."""
    told = [event for event in scene.news if worth_telling(event)]
    return [news_line(event, width, scene.rung_unit) for event in told[-lines:]] if lines > 0 else []
