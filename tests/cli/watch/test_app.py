"""`sweep watch` on a screen of a given size: what is seen, and what keys, the mouse and growing records do to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orchestrator.analysis.watch.listing import Order
from orchestrator.cli.live.watch import app as watch_app
from orchestrator.cli.live.watch.app import WatchApp
from orchestrator.cli.live.watch.log_screen import LogScreen
from orchestrator.cli.views.text import config_line
from orchestrator.core.rows import State
from orchestrator.records.paths import SweepPaths
from tests.analysis.watch.growing import Growing
from tests.cli.recorded import record

Scenario = Callable[[Pilot[None], WatchApp], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs a scenario on a screen; the records are looked at when the scenario says so."""
    monkeypatch.setattr(watch_app, "LOOK_S", 3600)

    def play(paths: SweepPaths, scenario: Scenario, size: tuple[int, int] = (80, 24)) -> None:
        async def run() -> None:
            app = WatchApp(paths)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                await scenario(pilot, app)
            assert app.error is None

        asyncio.run(run())

    return play


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    """A sweep that has ended, with trials of every kind."""
    return record(tmp_path / "results")


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    """A sweep that runs."""
    with Growing(tmp_path / "results") as growing:
        growing.begin()
        for _ in range(9):
            growing.one()
        growing.start(step=1, loss=0.25)
        growing.start(step=2, loss=0.5)
        yield growing


def lines(app: WatchApp) -> list[str]:
    """What is on the screen."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def title(app: WatchApp) -> str:
    """The line above the list: cursor, order, filter."""
    return next(line for line in lines(app) if line.startswith("─") and line.strip("─")).strip("─")


def cells(app: WatchApp) -> list[str]:
    """The numbers of the trials that are listed, from the top."""
    start = next(at for at, line in enumerate(lines(app)) if line.startswith((" trial ", "▾trial ")))
    found = [re.match(r" +(\d+)  [a-z]+ ", line) for line in lines(app)[start + 1 :]]
    return [match[1] for match in found if match is not None]


class TestWhatIsSeen:
    def test_golden(self, play: Play, growing: Growing) -> None:
        async def look(pilot: Pilot[None], app: WatchApp) -> None:
            shown = [re.sub(r"\d\d:\d\d:\d\d", "12:00:00", line) for line in lines(app)]
            shown[0] = re.sub(r"running  .*  ━+", "running  1 min 00 s  ━━━━", shown[0])
            assert [re.sub("─+$", "─", line) for line in shown] == [
                " made-up  running  1 min 00 s  ━━━━  9/12",
                " 2 running, 5 stopped, 2 diverged, 2 failed  train.py:train",
                " best loss 0.25  trial 9  ▄▄▄▄▄  lr=0.001264 kind=bad sizes=[8]",
                "─1/11 · running, then best · all states─",
                " trial ▾state         loss  step  curve     configuration",
                "     9  running       0.25     1  ▄▄        lr=0.001264 kind=bad sizes=[8]    █",
                "    10  running        0.5     2  ▄▄▄▄▄     lr=0.001009 kind=good …",
                "     3  stopped    0.33335     3  ██▃▃▁▁    lr=1.879e-05 kind=good …",
                "     8  stopped     1.0005     1  ▄▄        lr=0.0005018 kind=wild sizes=[8]",
            ]

        play(growing.paths, look)
