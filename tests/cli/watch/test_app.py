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
from orchestrator.core import events
from orchestrator.records.paths import SweepPaths
from tests.analysis.watch.growing import Growing
from tests.cli.recorded import T0, record

Scenario = Callable[[Pilot[None], WatchApp], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs a scenario on a screen; the records are looked at when the scenario says so."""
    monkeypatch.setattr(watch_app, "LOOK_S", 3600)

    def play(paths: SweepPaths, scenario: Scenario, size: tuple[int, int] = (80, 24)) -> None:
        async def run() -> None:
            app = WatchApp(paths, clock=lambda: T0 + 60)
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
    """What is on the screen, less the scrollbar."""
    strips = app.screen._compositor.render_strips()
    return [re.sub(" +[▁-█]? *$", "", "".join(segment.text for segment in strip)) for strip in strips]


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
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            shown = [re.sub(r"\d\d:\d\d:\d\d", "12:00:00", line) for line in lines(app)]
            assert [re.sub("─+$", "─", line) for line in shown] == [
                " made-up  running  1 min 00 s  ━━━━━━━━━━━━━  9/12  about 20 s left  9 a minute",
                " 2 running, 5 stopped, 2 diverged, 2 failed  train.py:train",
                " best loss 0.25  trial 9  ▄▄▄  lr=0.001264 kind=bad sizes=[8]",
                "─1/11 · running, then best · all states─",
                " trial ▾state        loss  last step  curve     configuration",
                "     9  running      0.25          1  ▄▄        lr=0.001264 kind=bad sizes=[8]",
                "    10  running       0.5          2    ▄▄      lr=0.001009 kind=good …",
                "     3  stopped         1          1  ▄▄        lr=1.879e-05 kind=good …",
                "     8  stopped         1          1  ▄▄        lr=0.0005018 kind=wild …",
                "     7  stopped         1          1  ▄▄        lr=0.0006522 kind=good …",
                "     6  stopped         1          1  ▄▄        lr=0.004779 kind=wild …",
                "     4  stopped      1.01          1  ▄▄        lr=0.005048 kind=good …",
                "     0  failed          –          1  ▄▄        lr=0.03407 kind=bad sizes=[8]",
                " trial 9  lr=0.001264 kind=bad sizes=[8]",
                "",
                "─",
                " rung  entered  went on  stopped  diverged   cutoff   node  running  ended",
                "    1       11        6        5         0        1   here        2      9",
                "    3        2        2        0         0  0.33334",
                "─",
                " 12:00:00  trial 9     goes on    0.25 at rung 1, the cutoff is 1.00002",
                " 12:00:00  trial 10    running",
                " 12:00:00  trial 10    goes on    0.5 at rung 1, the cutoff is 1.00001",
                " ⏎ log  s order  f state  / filter  q quit",
            ]

        play(growing.paths, scenario)

    @pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 50)])
    @pytest.mark.parametrize("order", list(Order))
    def test_nothing_is_cut_inside_a_word(
        self, play: Play, growing: Growing, size: tuple[int, int], order: Order
    ) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            for _ in range(list(Order).index(order)):
                await pilot.press("s")
            assert f" · {order} · " in title(app)
            known = {pair for trial in growing.sweep.trials for pair in config_line(trial.config).split()}
            found = {word for line in lines(app) for word in line.split() if "=" in word}
            assert found <= known
            assert len(cells(app)) >= 6
            header = next(line for line in lines(app) if "configuration" in line)
            assert all(name in header for name in ("trial", "state", "loss", "step", "curve", "configuration"))
            assert all(len(line) <= size[0] for line in lines(app))
            assert len(lines(app)) == size[1]

        play(growing.paths, scenario, size)

    def test_the_wide_one_has_nodes_and_times(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            header = next(line for line in lines(app) if "configuration" in line)
            assert header.split() == [
                "trial",
                "▾state",
                "loss",
                "last",
                "step",
                "trained",
                "curve",
                "node",
                "configuration",
            ]
            row = next(line for line in lines(app) if line.startswith("     3  stopped"))
            assert row.endswith("here  lr=1.879e-05 kind=good sizes=[8, 16]")
            assert header.index("configuration") == row.index("lr=")

        play(paths, scenario, (160, 50))

    def test_before_anything_is_recorded(self, play: Play, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            growing.paths.trials_table.unlink()

            async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
                assert " no trials yet  train.py:train  min loss (best of a trial)" in lines(app)
                assert " waiting for the first trial …" in lines(app)
                for key in ("down", "end", "enter", "s", "f"):
                    await pilot.press(key)
                assert not isinstance(app.screen, LogScreen)

            play(growing.paths, scenario)

    @pytest.mark.parametrize("size", [(20, 4), (40, 10), (60, 16), (1, 1), (250, 80)])
    def test_any_size(self, play: Play, paths: SweepPaths, size: tuple[int, int]) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            assert len(lines(app)) == size[1]
            await pilot.press("down", "enter")
            await pilot.press("q", "end")
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            assert title(app).startswith("12/12")
            assert cells(app)[-1] == str(app.table.listed[-1])

        play(paths, scenario, size)


class TestKeysAndMouse:
    def test_the_cursor(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            listed = app.table.listed
            page = len(cells(app))
            for keys, at in (("down j", 2), ("up k k", 0), ("end", 11), ("home", 0), ("G", 11), ("g space", page)):
                await pilot.press(*keys.split())
                assert title(app).startswith(f"{at + 1}/12 ")
                assert str(listed[at]) in cells(app)
                assert any(line.startswith(f" trial {listed[at]}  lr=") for line in lines(app))

        play(paths, scenario)

    def test_order_and_states(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            assert app.scene.listing is not None
            ordered = app.scene.listing.ordered
            await pilot.press("down", "s")
            assert title(app) == "1/12 · best · all states"  # from the top again
            await pilot.press("s")
            assert title(app) == "1/12 · newest · all states"
            assert cells(app)[:3] == ["11", "10", "9"]
            await pilot.press("S", "S", "S")
            assert title(app) == "1/12 · longest · all states"
            assert app.table.listed == app.scene.listing.trials(ordered(Order.LONGEST))
            assert any("▾trained" in line for line in lines(app))  # at 80 columns it is there when it is the order
            await pilot.press("F")
            assert title(app) == "1/2 · longest · failed"
            await pilot.press("f", "f")
            assert title(app) == "1/8 · longest · stopped"

        play(paths, scenario)

    def test_a_filter(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("slash", *"kind=b")
            assert title(app) == "1/3 · running, then best · all states · filter: kind=b"
            assert cells(app) == ["9", "0", "1"]
            assert lines(app)[-1].split() == ["⏎", "keep", "esc", "clear"]
            await pilot.press("enter", "down", "q")
            assert app.return_code is None or not app.is_running

        play(paths, scenario)

    def test_a_filter_is_dropped_by_escape_and_a_second_one_leaves(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("slash", *"[q]", "enter")
            assert title(app).startswith("0/0 ")
            assert title(app).endswith("filter: [q]")
            assert " no trial matches" in lines(app)
            await pilot.press("escape")
            assert title(app) == "1/12 · running, then best · all states"
            assert app.is_running
            await pilot.press("escape")
            assert not app.is_running

        play(paths, scenario)

    def test_the_mouse_chooses_sorts_scrolls_and_opens(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            header = next(at for at, line in enumerate(lines(app)) if "configuration" in line)
            await pilot.click(offset=(10, header + 3))
            assert title(app).startswith("3/12 ")
            for name, order in (
                ("loss", "best"),
                ("step", "furthest"),
                ("trial", "newest"),
                ("state", "running, then"),
            ):
                await pilot.click(offset=(lines(app)[header].index(name) + 1, header))
                assert f" · {order}" in title(app)
            await pilot.click(offset=(lines(app)[header].index("curve") + 1, header))  # which is no order
            assert " · running, then best" in title(app)
            await pilot.double_click(offset=(10, header + 1))
            assert isinstance(app.screen, LogScreen)
            assert app.screen.trial == app.table.listed[0]

        play(paths, scenario)

    def test_the_wheel_scrolls_and_leaves_the_cursor(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            first = cells(app)[0]
            app.table.scroll_down(animate=False)
            await pilot.pause()
            assert cells(app)[0] == str(app.table.listed[1])
            assert first not in cells(app)
            assert title(app).startswith("1/12 ")
            await pilot.press("down")  # and it comes back into sight
            assert cells(app)[0] == str(app.table.listed[1])

        play(paths, scenario)

    def test_ctrl_c_leaves(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("ctrl+c")
            assert not app.is_running

        play(paths, scenario)

    def test_resizing(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("end")
            for size in ((120, 40), (70, 15), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert len(lines(app)) == size[1]
                assert str(app.table.listed[-1]) in cells(app)  # the cursor's
                assert any("entered" in line for line in lines(app)) == (size[1] >= 18)

        play(paths, scenario)


class TestRecordsThatGrow:
    def test_they_are_followed_to_the_end(self, play: Play, tmp_path: Path) -> None:
        growing = Growing(tmp_path)
        growing.begin()

        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            for ended in range(1, 13):
                growing.one()
                await app.look()
                await pilot.pause()
                assert f"{ended}/12" in lines(app)[0]
                assert title(app).startswith(f"1/{ended} ")
            assert "running" in lines(app)[0]
            growing.__exit__(None, None, None)
            await app.look()
            await pilot.pause()
            assert lines(app)[0].startswith(" made-up  finished ")
            assert any("trial 11    stopped" in line for line in lines(app))

        play(growing.paths, scenario)

    def test_the_cursor_stays_on_its_trial(self, play: Play, growing: Growing) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("s", "s", "down")
            assert title(app) == "2/11 · newest · all states"
            growing.one()
            await app.look()
            await pilot.pause()
            assert title(app) == "3/12 · newest · all states"
            assert any(line.startswith(" trial 9  lr=") for line in lines(app))

        play(growing.paths, scenario)

    def test_what_has_not_changed_is_not_drawn_again(
        self, play: Play, paths: SweepPaths, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            drawn: list[object] = []
            monkeypatch.setattr(app, "_draw", lambda: drawn.append(None))
            await app.look()
            await app.look()
            assert drawn == []

        play(paths, scenario)

    def test_damaged_records_leave_what_was_seen(self, play: Play, paths: SweepPaths) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            before = cells(app)
            whole = paths.trials_table.read_bytes()
            paths.trials_table.write_bytes(whole[:100])
            await app.look()
            await pilot.pause()
            assert "trials.parquet: damaged, or not a Parquet file" in " ".join(" ".join(lines(app)[3:7]).split())
            assert cells(app)[:5] == before[:5]
            paths.trials_table.write_bytes(whole)
            await app.look()
            await pilot.pause()
            assert cells(app) == before

        play(paths, scenario)

    def test_what_a_fetch_tells_is_shown(self, paths: SweepPaths, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch_app, "FETCH_S", 0.01)
        monkeypatch.setattr(watch_app, "LOOK_S", 0.01)

        async def run() -> None:
            app = WatchApp(paths, lambda tell: tell("the cluster does not answer"))
            async with app.run_test(size=(80, 24)) as pilot:
                for _ in range(500):
                    await pilot.pause(0.02)
                    if any("the cluster does not answer" in line for line in lines(app)):
                        return
                raise AssertionError(lines(app))

        asyncio.run(run())

    def test_a_mistake_of_ours_is_handed_to_the_command_line(
        self, paths: SweepPaths, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch_app, "LOOK_S", 0.01)
        monkeypatch.setattr(WatchApp, "_draw_news", lambda self: 1 / 0)

        async def run() -> None:
            app = WatchApp(paths)
            with pytest.raises(ZeroDivisionError):
                async with app.run_test():
                    pass
            assert isinstance(app.error, ZeroDivisionError)

        asyncio.run(run())


class TestLog:
    @pytest.fixture
    def log(self, paths: SweepPaths) -> Path:
        path = paths.log(3)
        path.parent.mkdir()
        path.write_text("".join(f"line {number}\n" for number in range(50)) + "\nx" + "y" * 100 + "\n 40%\r 50%")
        return path

    def test_it_is_followed_until_somebody_scrolls_up(self, play: Play, paths: SweepPaths, log: Path) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("enter")
            await pilot.pause(0.1)
            seen = lines(app)
            assert seen[0] == " trial 3  lr=1.879e-05 kind=good sizes=[8, 16]"
            assert title(app) == "log: following"
            assert seen[-6:-1] == [" line 49", "", " x" + "y" * 76, " " + "y" * 24, "  50%"]
            assert seen[-1].split() == ["q", "back", "home", "start", "end", "follow"]
            with log.open("a") as file:
                file.write("\rdone\nnew\n")
            app.screen.look()  # type: ignore[attr-defined]
            await pilot.pause()
            assert lines(app)[-3:-1] == [" done", " new"]
            await pilot.press("up", "up")
            assert title(app) == "log: 2 lines below"
            seen = lines(app)
            with log.open("a") as file:
                file.write("newer\n")
            app.screen.look()  # type: ignore[attr-defined]
            await pilot.pause()
            assert title(app) == "log: 3 lines below"
            assert lines(app)[4:] == seen[4:]
            await pilot.press("home")
            assert " line 0" in lines(app)
            await pilot.press("end")
            assert title(app) == "log: following"
            assert lines(app)[-2] == " newer"
            await pilot.press("q")
            assert title(app).startswith("1/12 ")

        play(paths, scenario)

    def test_folded_anew_when_the_size_changes(self, play: Play, paths: SweepPaths, log: Path) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("enter")
            await pilot.resize_terminal(140, 24)
            await pilot.pause(0.1)
            assert " x" + "y" * 100 in lines(app)
            await pilot.resize_terminal(40, 24)
            await pilot.pause(0.1)
            assert " x" + "y" * 36 in lines(app)
            assert title(app) == "log: following"

        play(paths, scenario)

    def test_of_a_long_one_the_end_is_kept(self, play: Play, paths: SweepPaths, log: Path) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("enter", "home", "down")
            await pilot.pause(0.1)
            with log.open("a") as file:
                file.write("\n" + "".join(f"more {number}\n" for number in range(11_000)))
            app.screen.look()  # type: ignore[attr-defined]
            await pilot.press("end")
            assert lines(app)[-2] == " more 10999"
            await pilot.press("home")
            assert " more 1000" in lines(app)

        play(paths, scenario)

    @pytest.mark.parametrize("key", ["escape", "enter", "backspace"])
    def test_a_trial_that_has_printed_nothing(self, play: Play, paths: SweepPaths, key: str) -> None:
        async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
            await pilot.press("enter")
            await pilot.pause(0.1)
            assert title(app) == "log: nothing printed yet"
            await pilot.press(key)
            assert not isinstance(app.screen, LogScreen)

        play(paths, scenario)

    def test_the_state_is_kept_up_to_date(self, play: Play, tmp_path: Path) -> None:
        with Growing(tmp_path) as growing:
            growing.begin()
            trial = growing.start(step=1, loss=0.25)

            async def scenario(pilot: Pilot[None], app: WatchApp) -> None:
                await pilot.press("enter")
                assert lines(app)[1].startswith(" running")
                growing.sweep.on(events.Finished(trial=trial, at=growing.at, train_s=2.0))
                growing.begin()
                await app.look()
                await pilot.pause()
                assert any(line.startswith(" completed") for line in lines(app))

            play(growing.paths, scenario)
