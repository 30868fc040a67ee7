"""What a launch or a resume shows its user: a display or lines while it runs, a summary at the end."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from orchestrator.analysis.time.ledger import accounts
from orchestrator.cli import json_output
from orchestrator.cli.forgiving_output import forgiving_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.live.json_lines import JsonLines
from orchestrator.cli.live.lines import LineObserver
from orchestrator.cli.live.progress import Progress
from orchestrator.cli.options import typed
from orchestrator.cli.views.sweep import SweepView
from orchestrator.cli.views.time_account import account_text
from orchestrator.core.sweep import Sweep
from orchestrator.driver.observer import Observer
from orchestrator.driver.session import Session
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.sites.code_origin import current_job
from orchestrator.sites.remote.job_output import STARTED, announcement, started

if TYPE_CHECKING:
    from orchestrator.cli.live.launch_screen import Screen

TOP = 5
"""Trials in the summary."""


class SessionDisplay:
    """Shows one session of a sweep::

        with SessionDisplay(name=…) as display:
            launch(source, …, observer=display.observer)

    On a terminal the screen is open from the beginning, since Ray takes seconds to start. The summary is printed when
    the session ends, also if it failed. What cannot be printed meanwhile does not end the session.
    """

    def __init__(self, *, name: str, profile: bool = False, as_json: bool = False) -> None:
        """Show nothing yet.

        Args:
            name: The sweep's name, unless a sweep of that name exists.
            profile: Print at the end where the time went.
            as_json: Print events as JSON lines, the summary included.
        """
        self._name = name
        self._profile = profile
        self._as_json = as_json
        self._screen = None if as_json else _screen()
        self._paths: SweepPaths | None = None  # until the session has made its observer
        self._sweep: Sweep | None = None

    def __enter__(self) -> SessionDisplay:
        self._output = forgiving_output()
        self._output.__enter__()
        if self._screen is not None:
            self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._conclude(error)
        finally:
            self._output.__exit__(None, None, None)

    def _conclude(self, error: BaseException | None) -> None:
        if self._screen is not None:
            self._screen.__exit__()
        if error is None or isinstance(error, SweepError):
            self._sum_up()
        elif isinstance(error, KeyboardInterrupt):
            kept = "recorded results are kept" if self._paths is not None else "nothing was started"
            say(f"interrupted; {kept}")

    def say(self, text: str) -> None:
        """Say what is waited for, before there is an observer."""
        (say if self._screen is None else self._screen.say)(text)

    def observer(self, session: Session) -> Observer:
        """The observer of the session: what ``launch`` and ``resume`` call once everything but Ray is there."""
        self._paths = paths = session.paths
        self._sweep = session.sweep
        progress = Progress.of(session.sweep, slots=session.slots)
        if paths.name != self._name:
            told = say if self._screen is None else self._screen.say
            told(f"{self._name} exists, so this one is {paths.name}")
        if self._as_json:
            json_output.event(STARTED, **started(paths), trials=session.sweep.total)
            say("starting Ray …")
            return JsonLines(progress)
        if self._screen is None:
            if current_job():
                tell(announcement(paths))
            say(f"recording in {paths.root}")
            say("starting Ray …")
            return LineObserver(progress)

        from orchestrator.cli.live.launch_screen import ScreenObserver

        return ScreenObserver(self._screen, progress, paths)

    def _sum_up(self) -> None:
        """Print the results, where they are recorded, and which commands fit next; nothing if nothing was recorded."""
        if self._paths is None or not self._paths.trials_table.exists():
            return
        view = SweepView.of(self._paths, TOP)
        if self._as_json:
            json_output.event("summary", **view.data())
            return
        tell(f"\n{view.text()}")
        if current_job():  # the machine that sent the sweep here prints the rest
            return
        if self._profile and (sessions := accounts(self._paths)):
            tell(f"\n{account_text(sessions[-1])}")
        root = self._paths.root
        say(f"\nrecorded in {root}; to read it:")
        say("  import pandas as pd")
        say(f'  trials = pd.read_parquet("{root}/trials.parquet")')
        say(f'  metrics = pd.read_parquet("{root}/metrics")')
        say("next:")
        resumable = self._sweep is None or not self._sweep.used_up
        for command in _next_commands(self._paths, view, resumable=resumable):
            say(f"  {command}")


def _next_commands(paths: SweepPaths, view: SweepView, *, resumable: bool) -> list[str]:
    """The commands that fit what came of the session. ``resumable``: with its budget, the sweep can go on."""
    sweep = typed(paths)
    commands = []
    if resumable and view.overview.status in ("halted", "died"):
        commands.append(f"sweep resume {sweep}")
    if view.causes:
        commands.append(f"sweep show {sweep} --failures")
    if view.top:
        commands += [
            f"sweep report {sweep} --open",
            f"sweep show {sweep} --diagnosis",
            f"sweep best {sweep} > best.yaml",
        ]
        if view.info.spec["search"]["method"] != "list":  # nothing to narrow
            commands.append(f"sweep next {sweep}")
    return commands


def _screen() -> Screen | None:
    """A screen, where stdout and stderr are a terminal."""
    if sys.stdout.isatty() and sys.stderr.isatty():
        from orchestrator.cli.live.launch_screen import Screen

        return Screen()
    return None
