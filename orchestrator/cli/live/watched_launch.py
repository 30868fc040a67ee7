"""Launches a sweep under the eyes of its user, and says at the end what it came to."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.analysis.time.accounts import accounts
from orchestrator.cli.formats import say
from orchestrator.cli.live.lines import Lines
from orchestrator.cli.live.progress import Tally
from orchestrator.cli.options import RESULTS
from orchestrator.cli.views.sweep import Portrait
from orchestrator.cli.views.wording import RECORDING, account_text
from orchestrator.core.sweep import Sweep
from orchestrator.driver.loop import Observer
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.sites.code_origin import job

if TYPE_CHECKING:
    from orchestrator.cli.live.launch_screen import Screen

TOP = 5


def watched(
    session: Callable[[Callable[[Sweep, SweepPaths, Callable[[], int]], Observer]], SweepPaths],
    *,
    name: str,
    results: Path,
    profile: bool = False,
) -> SweepPaths:
    """Run a launch or a resume, watch, and sum up; what failed or was interrupted is summed up, too.

    Args:
        session: Runs the sweep, given what makes its observer; returns its files.
        name: What the sweep is called, unless that is taken.
        results: Where sweeps are recorded.
        profile: Say at the end where the time went.

    Returns:
        The sweep's files.

    Raises:
        SweepError: As ``launch.launch`` does.
    """
    watch = _Watch(name, profile=profile)
    try:
        with watch.screen or nullcontext():
            paths = session(watch.observer)
    except SweepError:
        watch.sum_up(results)
        raise
    except KeyboardInterrupt:
        say("ended at once; what was recorded by then stays" if watch.began else "ended; nothing was started")
        raise
    watch.sum_up(results)
    return paths


class _Watch:
    """Makes the observer once there is something to observe, and has the last word."""

    def __init__(self, name: str, *, profile: bool) -> None:
        self.screen = _screen()
        self._name = name
        self._profile = profile
        self._paths: SweepPaths | None = None
        self._tally = Tally(slots=lambda: 1)

    def observer(self, sweep: Sweep, paths: SweepPaths, slots: Callable[[], int]) -> Observer:
        """Called when everything but Ray is there."""
        self._paths, self._tally = paths, Tally.of(sweep, slots=slots)
        if paths.name != self._name:
            tell = say if self.screen is None else self.screen.say
            tell(f"{self._name} exists, so this one is {paths.name}")
        if self.screen is None:
            say(f"{RECORDING}{paths.root}")
            say("starting Ray …")
            return Lines(self._tally)

        from orchestrator.cli.live.launch_screen import Display

        return Display(self.screen, self._tally, paths)

    @property
    def began(self) -> bool:
        """Whether there is anything to sum up."""
        return self._paths is not None

    def sum_up(self, results: Path) -> None:
        """What came out, where it is, and what one does next; nothing if nothing began."""
        if self._paths is None or not self._paths.trials_table.exists():
            return
        whole = Portrait.of(self._paths, TOP)
        typer.echo(f"\n{whole.text()}")
        if job():  # whoever sent it says the rest: this is another machine
            return
        root = self._paths.root
        if self._profile and (kept := accounts(self._paths)):
            typer.echo(f"\n{account_text(kept[-1])}")
        lines = [
            "",
            f"recorded in {root}; to read it:",
            "  import pandas as pd",
            f'  trials = pd.read_parquet("{root}/trials.parquet")',
            f'  metrics = pd.read_parquet("{root}/metrics")',
            "next:",
            f"  sweep show {_arguments(self._paths, results)} --top 20",
        ]
        if whole.causes:
            lines.append(f"  sweep show {_arguments(self._paths, results)} --failures")
        if whole.overview.status in ("halted", "died"):
            lines.append(f"  sweep resume {_arguments(self._paths, results)}")
        if whole.top:
            lines.append(f"  sweep best {_arguments(self._paths, results)} > best.yaml")
        say("\n".join(lines))


def _arguments(paths: SweepPaths, results: Path) -> str:
    return paths.name if results == RESULTS else f"{paths.name} --results {shlex.quote(str(results))}"


def _screen() -> Screen | None:
    """The display, where somebody sees it."""
    if sys.stdout.isatty() and sys.stderr.isatty():
        from orchestrator.cli.live.launch_screen import Screen

        return Screen()
    return None
