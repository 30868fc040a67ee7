"""The screen of a watched sweep: a scene, a view of it and a size in, lines of that size out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from orchestrator.analysis.watch.listing import Row
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.formats import COLOURS
from orchestrator.cli.live.watch_view import View
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.cli.views.sparkline import sparkline
from orchestrator.cli.views.text import cell, config_line, one_line, rung_rows
from orchestrator.core.rows import State
from orchestrator.formatting import count, duration

WIDE = 110
"""From so many columns on, nodes and configurations stand in the list."""

BAR = 16
CURVES = (8, 40)
"""The least and the most columns of a curve."""

NODES = 24
"""The least columns in which nodes are shown; where they have long names, the names' ends are cut off."""

STYLES: Mapping[str, str] = {**COLOURS, State.STOPPED: "dim", State.CANCELLED: "dim", "running": "cyan"}

Cell = str | Text
_UNSEEN = dict.fromkeys((*range(32), *range(127, 160)), "·")
"""Characters by which an error's message could take the terminal over."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What is drawn."""

    lines: list[Text]
    view: View  # with the cursor in sight
    listed: list[int]  # all trials in their order
    page: int  # how many of them are seen at once


def draw(scene: Scene, view: View, *, width: int, height: int) -> Frame:
    """The head, the trials, rungs and nodes, the news, and the keys: as much of each as there is room for."""
    places = scene.listing.ordered(view.order, view.only) if scene.listing is not None else []
    listed = scene.listing.trials(places) if scene.listing is not None else []
    head, lower = _head(scene, width), _lower(scene, width, height // 4)
    about = _lines_on_chosen(scene, width, height)
    spare = height - len(head) - len(lower) - about - 5  # blank lines, the list's header, the keys
    page = max(1, min(len(listed), spare - min(8, spare // 4)))
    news = _news(scene, max(0, spare - page))
    view = view.scrolled(listed, page)
    shown = places[view.top : view.top + page]
    rows = scene.listing.rows(shown) if scene.listing is not None else []
    at = view.at(listed)
    chosen = rows[at - view.top] if rows else None
    lines = [
        *head,
        Text(),
        *_trials(scene, rows, chosen, width),
        *(_chosen(chosen, width, about) if chosen is not None else []),
        Text(),
        *([*lower, Text()] if lower else []),
        *news,
    ]
    lines = lines[: height - 1]
    lines += [Text()] * (height - 1 - len(lines))
    lines.append(_keys(view, at, len(listed)))
    return Frame(lines=[_fitted(line, width) for line in lines], view=view, listed=listed, page=page)


def draw_log(trial: int, path: str, lines: Sequence[str], up: int, *, width: int, height: int) -> list[Text]:
    """A log: its end, or what is so many lines above it.

    Args:
        trial: Whose it is.
        path: Its file.
        lines: Of the log, as wide as the screen at most; the last is the newest.
        up: How many of them are below the screen.
        width, height: Of the screen.
    """
    room = max(1, height - 3)
    end = len(lines) - up
    seen = [Text(line) for line in lines[max(0, end - room) : end]]
    where = "following" if not up else f"{count(up, 'line')} below"
    title = Text.assemble((f"trial {trial}", "bold"), f"  {path}  ", (where, "dim"))
    body = seen or [Text("it has printed nothing", "dim")]
    keys = Text("↑↓ page up, page down  scroll   end  follow   q  back", "dim")
    drawn = [title, Text(), *body][: height - 1]
    return [_fitted(line, width) for line in [*drawn, *[Text()] * (height - 1 - len(drawn)), keys]]


def _head(scene: Scene, width: int) -> list[Text]:
    lines = [_title(scene), _counts(scene)]
    if scene.trouble:
        lines.append(Text(one_line(scene.trouble), "yellow"))
    best = scene.best
    if best is not None and best.value is not None:
        curve = scene.curves([best.trial]).get(best.trial, [])
        value = f"{scene.objective.metric} {best.value:.6g}"
        lines.append(
            Text.assemble(
                "best ",
                (value, "green"),
                f" (trial {best.trial})  ",
                (sparkline(curve, min(CURVES[1], width // 4), scene.length), "green"),
                f"  {config_line(best.config)}",
            )
        )
    return lines


def _title(scene: Scene) -> Text:
    parts: list[Cell | tuple[str, str]] = [(scene.name, "bold"), "  ", (scene.status, STYLES.get(scene.status, ""))]
    if scene.session is not None:
        parts.append(f"  {duration(scene.seconds)}")
    if scene.total:
        full = round(BAR * min(1.0, scene.ended / scene.total))
        parts += ["  ", ("━" * full, "green"), ("━" * (BAR - full), "bright_black"), f"  {scene.ended}/{scene.total}"]
    pace = [f"{scene.per_minute:.3g} a minute"] if scene.per_minute is not None else []
    pace += [f"about {duration(scene.left_s)} left"] if scene.left_s else []
    return Text.assemble(*parts, ("  " * bool(pace) + ", ".join(pace), "dim"))


def _counts(scene: Scene) -> Text:
    counts = Text(", ").join(Text(f"{n} {state}", STYLES.get(state, "")) for state, n in scene.states.items())
    objective = scene.objective
    aim = f"{scene.trainable}, {objective.mode} {objective.metric} ({objective.at} of a trial)"
    return Text.assemble(counts or "no trials yet", "  ", (aim, "dim"))


def _trials(scene: Scene, rows: Sequence[Row], chosen: Row | None, width: int) -> list[Text]:
    if not rows:
        return [Text("no trials" if scene.states else "waiting for the first trial …", "dim")]
    wide = width >= WIDE
    metric = scene.objective.metric
    curves = scene.curves([row.trial for row in rows])
    fixed = 6 + 10 + max(9, len(metric) + 1) + 7 + 11 + (17 if wide else 0)
    room = min(CURVES[1], max(CURVES[0], (width - fixed) // (2 if wide else 1) - 2))
    table: list[dict[str, Cell]] = [
        {
            "trial": str(row.trial),
            "state": Text(row.state, STYLES.get(row.state, "")),
            metric: cell(row.value),
            "step": cell(row.step),
            "trained": duration(row.train_s),
            "curve": Text(
                sparkline(curves.get(row.trial, []), room, scene.length).ljust(room), STYLES.get(row.state, "")
            ),
            **({"node": row.node or "–", "configuration": config_line(row.config)} if wide else {}),
        }
        for row in rows
    ]
    lines = _table(table, left={"state", "curve", "node", "configuration"})
    if chosen is not None:
        line = lines[1 + rows.index(chosen)]
        line.pad_right(max(0, width - line.cell_len))
        line.stylize("reverse")
    return lines


def _lines_on_chosen(scene: Scene, width: int, height: int) -> int:
    """How many lines are set aside for the chosen trial: as many whichever it is, or the screen would jump."""
    if width >= WIDE or height < 20 or scene.best is None:
        return 1
    return 1 if len(config_line(scene.best.config)) + 20 < width else 2


def _chosen(row: Row, width: int, lines: int) -> list[Text]:
    """What the list has no room for, on so many lines."""
    reason = f"  {one_line(row.reason)}" if row.reason else ""
    text = Text.assemble(f"trial {row.trial}: {config_line(row.config)}", (reason, "yellow"))
    return [text[at * width : (at + 1) * width] for at in range(lines - 1)] + [text[(lines - 1) * width :]]


def _lower(scene: Scene, width: int, height: int) -> list[Text]:
    """The rungs, and beside them the nodes, on so many lines at most; one of them where there is no room for both.

    Of more rungs, the highest are seen; of more nodes, those on which most trials run.
    """
    rungs = _table([{name: cell(value) for name, value in row.items()} for row in rung_rows(scene.rungs)])
    rungs = [*rungs[:1], *rungs[max(1, len(rungs) - height + 1) :]][:height]
    left = max((line.cell_len + 3 for line in rungs), default=0)
    nodes = _nodes(scene, width - left, height)
    if not rungs or width - left < NODES:
        return rungs or nodes
    lines = []
    for at in range(max(len(rungs), len(nodes))):
        line = rungs[at].copy() if at < len(rungs) else Text()
        if at < len(nodes):
            line.pad_right(left - line.cell_len)
            line.append_text(nodes[at])
        lines.append(line)
    return lines


def _nodes(scene: Scene, width: int, height: int) -> list[Text]:
    found = scene.listing.nodes if scene.listing is not None else []
    found = sorted(found, key=lambda node: -node.running)
    shown = found if len(found) < height else found[: max(0, height - 2)]
    more = len(found) - len(shown)
    failed = width >= 1.5 * NODES and any(node.failed for node in found)
    table: list[dict[str, Cell]] = [
        {
            "running": str(node.running),
            "ended": str(node.ended),
            **({"failed": str(node.failed)} if failed else {}),
            "node": node.node,
        }
        for node in shown
    ]
    return [*_table(table, left={"node"}), *([Text(f"and {more} more", "dim")] if more and shown else [])]


def _news(scene: Scene, room: int) -> list[Text]:
    told = [event for event in scene.news if worth_telling(event)]
    return [news_line(event) for event in told[max(0, len(told) - room) :]] if room else []


def _keys(view: View, at: int, trials: int) -> Text:
    only = view.only or "all"
    keys = [("↑↓", "trial"), ("enter", "log"), ("s", view.order.value), ("f", only), ("q", "quit")]
    line = Text("  ").join(Text.assemble((key, "bold"), f" {what}") for key, what in keys)
    return line + Text(f"   {at + 1}/{trials}" if trials else "", "dim")


def _table(rows: Sequence[Mapping[str, Cell]], left: set[str] | frozenset[str] = frozenset()) -> list[Text]:
    """Columns, the names over them; numbers to the right."""
    if not rows:
        return []
    names = list(rows[0])
    cells = [[value if isinstance(value, Text) else Text(value) for value in row.values()] for row in rows]
    widths = [max(len(name), *(line[at].cell_len for line in cells)) for at, name in enumerate(names)]
    lines = []
    for line in [[Text(name, "bold") for name in names], *cells]:
        padded = []
        for name, width, each in zip(names, widths, line, strict=True):
            space = Text(" " * (width - each.cell_len))
            padded.append(each + space if name in left else space + each)
        lines.append(Text("  ").join(padded))
        lines[-1].rstrip()
    return lines


def _fitted(line: Text, width: int) -> Text:
    line = line.copy()
    line.plain = line.plain.translate(_UNSEEN)
    line.truncate(width, overflow="ellipsis")
    return line
