"""What a launch says when something cannot be written: once when it begins, once when it is over."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.live import lines as lines_module
from orchestrator.cli.live.launch_screen import Screen, ScreenObserver
from orchestrator.cli.live.lines import LineObserver
from orchestrator.cli.live.progress import Progress
from orchestrator.cli.live.write_troubles import WriteTroubles
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import T0, spec

WHY = "waiting for the records: cannot write s/metrics: No space left on device; trials wait at their next report"


def test_it_says_how_long_it_took() -> None:
    now = 0.0
    troubles = WriteTroubles(lambda: now)
    assert troubles.line("the records", WHY) == WHY
    now = 5.0
    troubles.line("checkpoints", "checkpoints cannot be written")
    assert list(troubles.standing) == ["the records", "checkpoints"]
    now = 192.0
    assert troubles.line("the records", None) == "the records are written again, after 3 min 12 s"
    assert troubles.standing == {"checkpoints": "checkpoints cannot be written"}


def test_piped(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_clock", lambda at: "12:00:00")
    lines = LineObserver(Progress(slots=lambda: 1))
    lines.trouble("the records", WHY)
    lines.trouble("the records", None)
    assert capfd.readouterr().out == f"12:00:00  {WHY}\n12:00:00  the records are written again, after 0.0 s\n"


def test_on_a_terminal_it_stands_while_it_lasts(tmp_path: Path) -> None:
    sweep, screen, said = build_sweep(spec(), None), Screen(), io.StringIO()
    screen._live.console = Console(file=said, width=200)
    watching = ScreenObserver(screen, Progress(slots=lambda: 1), SweepPaths(tmp_path / "s"))
    sweep.ask(T0)
    sweep.on(events.Started(trial=0, at=T0))

    def shown() -> str:
        watching._next = 0.0
        watching.show(sweep, T0 + 1)
        file = io.StringIO()
        Console(file=file, width=200).print(screen._live.get_renderable())
        return file.getvalue()

    watching.trouble("the records", WHY)
    assert WHY in shown()
    watching.trouble("the records", None)
    assert WHY not in shown()
    began, over = said.getvalue().splitlines()
    assert began == WHY
    assert over.startswith("the records are written again, after ")
