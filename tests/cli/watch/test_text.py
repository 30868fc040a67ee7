"""What a watcher sees and what keys do to it, without a terminal."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from orchestrator.analysis.watch.follow import Follower
from orchestrator.analysis.watch.listing import Order
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.live.watch_keys import names
from orchestrator.cli.live.watch_log import KEPT, Log, folded
from orchestrator.cli.live.watch_screen import draw, draw_log
from orchestrator.cli.live.watch_view import View, press
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.cli.views.sparkline import LEVELS, WILD, sparkline
from orchestrator.core.rows import EventRow, State
from tests.analysis.watch.growing import Growing
from tests.cli.recorded import T0


class TestSparkline:
    @pytest.mark.parametrize(
        ("values", "drawn"),
        [
            ([], ""),
            ([5.0], "▄"),
            ([1, 1, 1], "▄▄▄"),
            ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
            ([1, 0.1, 0.01, 0.001], "█▆▃▁"),  # in powers of ten
            ([1, math.nan, 0, math.inf], "█×▁×"),
            ([-math.inf], "×"),
            ([-1e308, 1e308], "▄▄"),  # too far apart for a difference
        ],
    )
    def test_what_is_drawn(self, values: list[float], drawn: str) -> None:
        curve = list(enumerate(values, 1))
        assert sparkline(curve, width=len(values), length=len(values)) == drawn

    def test_every_step_has_its_places(self) -> None:
        assert sparkline([(10, 1.0), (20, 2.0)], width=4, length=40) == "▁█"  # it ended half-way
        assert sparkline([(20, 1.0), (40, 2.0)], width=4, length=40) == " ▁▁█"
        assert sparkline([(1, 1.0), (2, 2.0)], width=6, length=2) == "▁▁▁███"
        assert sparkline([(step, step) for step in range(1, 1001)], width=8, length=1000) == LEVELS

    @given(st.lists(st.tuples(st.integers(0, 99), st.floats()), max_size=20), st.integers(1, 30), st.integers(0, 99))
    def test_it_is_never_too_wide(self, curve: list[tuple[int, float]], width: int, length: int) -> None:
        drawn = sparkline(sorted(curve, key=lambda point: point[0]), width, length)
        assert len(drawn) <= width
        assert set(drawn) <= {*LEVELS, WILD, " "}


class TestKeys:
    @pytest.mark.parametrize(
        ("sent", "named"),
        [
            ("q", ["q"]),
            ("\x1b[A\x1bOB", ["up", "down"]),  # of both kinds of terminals
            ("\x1b[5~\x1b[6~\x1b[H\x1b[4~", ["page up", "page down", "home", "end"]),
            ("\r\n ", ["enter", "enter", "page down"]),
            ("\x1b", ["escape"]),
            ("\x1b\x1b[A", ["escape", "up"]),
            ("\x1b[1;5Aq", ["q"]),  # control and an arrow mean nothing here
            ("\x1b[", []),  # cut off
            ("\x07é", ["é"]),
            ("", []),
        ],
    )
    def test_keys_have_names(self, sent: str, named: list[str]) -> None:
        assert names(sent) == named


LISTED = [7, 3, 9, 1]
STATES = [State.RUNNING, State.FAILED]


class TestView:
    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            ("down", View(trial=3)),
            ("down down up", View(trial=3)),
            ("up", View(trial=7)),
            ("page_down page_down page_down", View(trial=1)),
            ("end", View(trial=1)),
            ("G k", View(trial=9)),
            ("end g", View(trial=7)),
            ("down s", View(order=Order.VALUE)),  # from the top again
            ("s S", View()),
            ("S", View(order=Order.LONGEST)),
            ("f", View(only=State.RUNNING)),
            ("f f", View(only=State.FAILED)),
            ("f f f", View()),
            ("F", View(only=State.FAILED)),
            ("enter", View(log=7)),
            ("j enter s", View(trial=3, log=3)),  # in a log, it means nothing
            ("enter up up down", View(log=7, up=1)),
            ("enter page_up page_up page_up page_up", View(log=7, up=5)),  # no further than its first line
            ("enter home", View(log=7, up=5)),
            ("enter home end", View(log=7)),
            ("enter q", View()),
            ("enter enter", View()),
            ("q", View(done=True)),
            ("escape", View(done=True)),
            ("x", View()),
        ],
    )
    def test_keys_do(self, keys: str, expected: View) -> None:
        view = View()
        for key in keys.split():
            view = press(view, key.replace("_", " "), listed=LISTED, states=STATES, page=2, lines=7)
        assert view == expected

    @pytest.mark.parametrize("key", ["up", "down", "end", "page down", "enter"])
    def test_where_there_are_no_trials(self, key: str) -> None:
        assert press(View(), key, listed=[], states=[], page=1) == View()

    @given(st.integers(0, 30), st.integers(0, 40), st.integers(1, 10), st.none() | st.integers(0, 35))
    def test_the_cursor_is_always_in_sight(self, trials: int, top: int, room: int, trial: int | None) -> None:
        listed = list(range(trials))
        view = View(top=top, trial=trial).scrolled(listed, room)
        assert view.top <= view.at(listed) < view.top + room
        assert view.top == 0 or view.top <= trials - room


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A sweep that runs, with trials of every kind."""
    with Growing(tmp_path_factory.mktemp("results")) as growing:
        growing.begin()
        for _ in range(9):
            growing.one()
        growing.start(step=1, loss=0.25)
        growing.start(step=2, loss=0.5)
        return Follower(growing.paths).look(T0 + 60)


def texts(lines: list[Text]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


class TestScreen:
    def test_golden(self, scene: Scene) -> None:
        lines = texts(draw(scene, View(), width=80, height=24).lines)
        assert [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in lines] == [
            "made-up  running  1 min 00 s  ━━━━━━━━━━━━━━━━  9/12  9 a minute, about 20 s le…",
            "2 running, 5 stopped, 2 diverged, 2 failed  train.py:train, min loss (best of a…",
            "best loss 0.25 (trial 9)  ▄▄▄▄▄  lr=0.001264 kind=bad sizes=[8]",
            "",
            "trial  state       loss  step  trained  curve",
            "    9  running     0.25     1    1.5 s  ▄▄▄▄▄▄▄▄",
            "   10  running      0.5     2    1.5 s          ▄▄▄▄▄▄▄▄▄",
            "    3  stopped  0.33335     3    3.0 s  ████████▃▃▃▃▃▃▃▃▃▁▁▁▁▁▁▁▁▁",
            "    8  stopped   1.0005     1    1.0 s  ▄▄▄▄▄▄▄▄",
            "    7  stopped   1.0007     1    1.0 s  ▄▄▄▄▄▄▄▄",
            "    6  stopped   1.0048     1    1.0 s  ▄▄▄▄▄▄▄▄",
            "    4  stopped    1.005     1    1.0 s  ▄▄▄▄▄▄▄▄",
            "    0  failed         –     1    2.0 s  ▄▄▄▄▄▄▄▄",
            "    1  failed         –     1    2.0 s  ▄▄▄▄▄▄▄▄",
            "trial 9: lr=0.001264 kind=bad sizes=[8]",
            "",
            "rung  entered  went on  stopped  diverged   cutoff   running  ended  node",
            "   1       11        7        4         0        1         2      9  here",
            "   3        3        2        1         0  0.33334",
            "",
            "trial 9     goes on    0.25 at rung 1, the cutoff is 1.00002",
            "trial 10    running",
            "trial 10    goes on    0.5 at rung 1, the cutoff is 1.00001",
            "↑↓ trial  enter log  s running, then best  f all  q quit   1/11",
        ]

    @given(st.integers(1, 250), st.integers(1, 80), st.sampled_from(list(Order)), st.none() | st.sampled_from(State))
    def test_it_fits(self, scene: Scene, width: int, height: int, order: Order, only: State | None) -> None:
        frame = draw(scene, View(order=order, only=only, trial=4), width=width, height=height)
        assert len(frame.lines) == max(1, height)
        assert all(line.cell_len <= width for line in frame.lines)

    def test_the_wide_one_has_nodes_and_configurations(self, scene: Scene) -> None:
        lines = texts(draw(scene, View(), width=160, height=50).lines)
        assert any(line.endswith("node  configuration") for line in lines)
        assert any("here  lr=" in line and "sizes=" in line for line in lines)

    def test_order_filter_and_cursor(self, scene: Scene) -> None:
        frame = draw(scene, View(only=State.FAILED, trial=1), width=160, height=50)
        assert frame.listed == [0, 1]
        rows = [line for line in frame.lines if line.plain.lstrip().startswith(("0  failed", "1  failed"))]
        assert [bool(line.spans) and line.spans[-1].style == "reverse" for line in rows] == [False, True]
        chosen = next(line for line in texts(frame.lines) if line.startswith("trial 1: "))
        assert "ValueError: no good in trial 1" in chosen
        assert frame.lines[-1].plain.endswith("f failed  q quit   2/2")

    def test_nothing_yet(self, scene: Scene) -> None:
        bare = Scene(
            name="s",
            status="running",
            trainable="t",
            objective=scene.objective,
            total=None,
            trouble="the disk\nis gone",
        )
        lines = texts(draw(bare, View(), width=80, height=10).lines)
        assert lines[:3] == ["s  running", "no trials yet  t, min loss (best of a trial)", "the disk is gone"]
        assert "waiting for the first trial …" in lines

    def test_nobody_takes_the_terminal_over(self, scene: Scene) -> None:
        wild = replace(scene, name="\x1b]0;mine\x07", trainable="\x1b[2J\x9b31m")
        for line in texts(draw(wild, View(), width=120, height=20).lines):
            assert not any(unicodedata.category(letter) == "Cc" for letter in line)


class TestNews:
    def test_what_is_told(self) -> None:
        rows = [
            EventRow(at=T0, event="sweep", reason="began"),
            EventRow(at=T0, event="pending", trial=3),
            EventRow(at=T0, event="running", trial=3, attempt=2),
            EventRow(at=T0, event="rung", trial=3, rung=3, value=0.5, cutoff=None, decision="continue"),
            EventRow(at=T0, event="rung", trial=3, rung=9, value=0.5, cutoff=0.4, decision="stop"),
            EventRow(at=T0, event="stopped", trial=3, reason="0.5 at rung 9"),
            EventRow(at=T0, event="retry", trial=4, decision="failure", reason="OSError: a\nb"),
            EventRow(at=T0, event="account", reason="where the time went"),
        ]
        assert [news_line(row).plain.split("  ", 1)[1] for row in rows if worth_telling(row)] == [
            "began",
            "trial 3     running    attempt 2",
            "trial 3     goes on    0.5 at rung 3, the cutoff is –",
            "trial 3     stopped    0.5 at rung 9",
            "trial 4     retry      after failure: OSError: a b",
        ]


class TestLog:
    def test_it_grows(self, tmp_path: Path) -> None:
        log = Log(path := tmp_path / "3.log")
        assert (log.look(), log.lines) == (0, [])
        path.write_bytes(b"one\ntw")
        assert (log.look(), log.lines) == (2, ["one", "tw"])
        with path.open("ab") as file:
            file.write("o\n\x1b[31mré\x1b[0md\tx\n 10%\r 50%".encode())
        assert (log.look(), log.lines) == (2, ["one", "two", "réd     x", " 50%"])
        with path.open("ab") as file:
            file.write(b"\r100%\r\n")
        assert (log.look(), log.lines) == (0, ["one", "two", "réd     x", "100%"])

    def test_of_a_long_one_the_end_is_read(self, tmp_path: Path) -> None:
        (path := tmp_path / "3.log").write_text("".join(f"line {number}\n" for number in range(200_000)))
        log = Log(path)
        log.look()
        assert len(log.lines) == KEPT
        assert log.lines[-1] == "line 199999"

    def test_long_lines_are_folded(self) -> None:
        assert folded(["abcdef", "", "日本語"], 4) == ["abcd", "ef", "", "日本", "語"]

    def test_the_end_or_what_is_above_it(self) -> None:
        lines = [f"line {number}" for number in range(9)]
        assert texts(draw_log(3, "logs/3.log", lines, 0, width=40, height=6)) == [
            "trial 3  logs/3.log  following",
            "",
            "line 6",
            "line 7",
            "line 8",
            "↑↓ page up, page down  scroll   end  fo…",
        ]
        above = texts(draw_log(3, "logs/3.log", lines, 2, width=40, height=6))
        assert (above[0], above[2:5]) == ("trial 3  logs/3.log  2 lines below", ["line 4", "line 5", "line 6"])
        assert texts(draw_log(3, "l", [], 0, width=40, height=6))[2] == "it has printed nothing"
