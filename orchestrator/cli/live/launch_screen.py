"""Shows a session on a terminal: one display, updated in place."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from orchestrator.cli.formats import COLOURS
from orchestrator.cli.live.lines import ending
from orchestrator.cli.live.progress import Progress
from orchestrator.cli.live.write_troubles import WriteTroubles
from orchestrator.cli.views.fitting import Columns, Flow, pairs
from orchestrator.cli.views.sparkline import progress_bar
from orchestrator.cli.views.text import cell, rung_rows
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.core.trial import Trial
from orchestrator.driver.observer import RAY
from orchestrator.formatting import count, duration, spread_of, to_spread
from orchestrator.records.paths import SweepPaths
from orchestrator.safe_text import for_output

REFRESH_S = 0.25
MOST_RUNNING = 8
BEST_LINES = 3
BAR = 20


class Surface(Protocol):
    """Where a launch is drawn: a terminal, or the output of a notebook's cell."""

    def __enter__(self) -> Surface: ...

    def __exit__(self, *_: object) -> None: ...

    def say(self, text: Text | str) -> None:
        """Show a message that stays."""
        ...

    def draw(self, drawing: RenderableType) -> None:
        """Replace what is displayed."""
        ...

    def conclude(self, text: str) -> None:
        """Leave a sentence when the drawing goes."""
        ...


class _SafeConsole(Console):
    """Whatever is drawn, text is only text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(for_output(segment.text, styled=False), segment.style)


class Screen:
    """The display on the terminal. It is open before Ray starts, and shows a spinner until there is a sweep to draw."""

    def __init__(self) -> None:
        self._live = Live(
            Spinner("dots", "starting Ray …"),
            console=_SafeConsole(stderr=True, markup=False, emoji=False),
            refresh_per_second=1 / REFRESH_S,
            transient=True,
        )

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: Text | str) -> None:
        """Print above the display."""
        self._live.console.print(text, highlight=False)

    def draw(self, drawing: RenderableType) -> None:
        """Replace what is displayed."""
        self._live.update(drawing)

    def conclude(self, text: str) -> None:
        """Print a sentence, to stay when the display goes."""
        self.say(text)


class ScreenObserver:
    """An observer of a session that draws it on the screen."""

    def __init__(self, screen: Surface, progress: Progress, paths: SweepPaths) -> None:
        self._screen = screen
        self._progress = progress
        self._paths = paths
        self._next = 0.0
        self._troubles = WriteTroubles()
        self._told: set[str] = set()  # fingerprints of failures that were shown

    def show(self, sweep: Sweep, now: float) -> None:
        """Draw the sweep four times a second. The first failure of each kind is printed at once."""
        for note in self._progress.notes(sweep):
            self._screen.say(Text(note, "yellow"))
        for change in self._progress.look(sweep, now):
            if change.kind == "ended" and change.trial.state is State.FAILED:
                self._tell(change.trial)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REFRESH_S
            self._screen.draw(_drawn(self._paths.name, sweep, self._progress, self._troubles))

    def trouble(self, what: str, why: str | None) -> None:
        """Print the trouble, and keep it on the display while it lasts."""
        self._screen.say(Text(self._troubles.line(what, why), "yellow"))
        if what == RAY:
            self._screen.__exit__()

    def _tell(self, trial: Trial) -> None:
        fingerprint = trial.failure.fingerprint if trial.failure is not None else ""
        if fingerprint in self._told:
            return
        self._told.add(fingerprint)
        text = Text.assemble((f"trial {trial.number} failed: ", "red"), ending(trial))
        log = self._paths.log(trial.number)
        self._screen.say(text + Text(f"\n  {log}" if log.exists() else ""))


def _drawn(name: str, sweep: Sweep, progress: Progress, troubles: WriteTroubles) -> RenderableType:
    if progress.began is None:
        return Spinner("dots", f"{name}: starting workers for {count(progress.slots(), 'trial')} at once …")
    parts: list[RenderableType] = [_progress(name, progress), _pace(sweep, progress)]
    parts += [Text(why, "yellow") for why in troubles.standing.values()]
    if sweep.best is not None:
        parts.append(_best(sweep.best, spread_of(list(progress.results.values()), sweep.best.objective.mode)))
    if not sweep.finished:
        parts += [Text(), _running(progress)]
    rungs = rung_rows(sweep.scheduler.table(), sweep.rungs.unit)
    if rungs:
        parts += [Text(), _table(rungs)]
    return Group(*parts)


def _progress(name: str, progress: Progress) -> RenderableType:
    bar = [] if progress.share is None else [progress_bar(progress.share, BAR)]
    numbers = {state: progress.paused if state is State.PAUSED else progress.counts[state] for state in State}
    counts = [Text(f"{number} {state}", COLOURS.get(state, "")) for state, number in numbers.items() if number]
    done = Text(count(progress.done, "trial") if progress.total is None else f"{progress.done}/{progress.total}")
    return Flow([Text(name, "bold"), *bar, done, *counts], gap="  ")


def _pace(sweep: Sweep, progress: Progress) -> RenderableType:
    if sweep.halted is not None:
        return Text(f"ending: {sweep.halted}", "yellow")
    if sweep.finished:
        return Text(f"{duration(progress.wall_s)}, all trials have ended; closing Ray", "dim")
    parts = [duration(progress.wall_s), f"{progress.per_minute:.3g} trials a minute"]
    if progress.left_s is not None:
        parts.append(f"about {duration(progress.left_s)} left")
    if sweep.limits.patience is not None and sweep.early_end.patience.best is not None:
        parts.append(f"no gain in {sweep.early_end.patience.trials} of {count(sweep.limits.patience, 'trial')}")
    if progress.overhead is not None:
        parts.append(f"{progress.overhead:.0%} overhead")
    return Flow(_listed([Text(part, "dim") for part in parts]))


def _listed(parts: Sequence[Text]) -> list[Text]:
    """With a comma after each but the last."""
    return [Text.assemble(part, "," * (part is not parts[-1])) for part in parts]


def _best(trial: Trial, spread: float) -> RenderableType:
    assert trial.result is not None
    step = trial.best_step if trial.objective.at == "best" else trial.last_step
    value = f"{trial.objective.metric} {to_spread(trial.result, spread)}"
    start = Text.assemble("best ", (value, "green"), f" (trial {trial.number}, {trial.objective.at} step {step}) ")
    return Flow([start, *pairs(trial.config)], BEST_LINES)


def _running(progress: Progress) -> RenderableType:
    shown = progress.running[:MOST_RUNNING]
    if not shown:
        return Text(f"{count(progress.starting, 'trial')} being started", "dim")
    spread = spread_of(list(progress.results.values()), shown[0].objective.mode)
    rows = [
        {
            "trial": trial.number,
            "last step": trial.last_step,
            shown[0].objective.metric: None if trial.last is None else to_spread(trial.last, spread),
            "seconds": round(progress.now - trial.started_at) if trial.started_at else 0,
            "node": None if trial.node is None else trial.node.name,
        }
        for trial in shown
    ]
    table = _table(rows)
    more = len(progress.running) - len(shown)
    return Group(table, Text(f"and {more} more", "dim")) if more else table


def _table(rows: Sequence[Mapping[str, object]]) -> Columns:
    return Columns([{name: cell(value) for name, value in row.items()} for row in rows], left=["node"])
