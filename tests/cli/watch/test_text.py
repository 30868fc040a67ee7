"""The text of `sweep watch`, without a screen: curves, news, what stands above and below the list, logs."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from orchestrator.analysis.watch.follow import Follower
from orchestrator.analysis.watch.scene import Scene
from orchestrator.cli.live.watch.headline import chosen, headline, news, nodes, rungs
from orchestrator.cli.live.watch.log_tail import MOST, LogTail, folded
from orchestrator.cli.views.event_lines import news_line, worth_telling
from orchestrator.cli.views.sparkline import LEVELS, WILD, sparkline
from orchestrator.core.rows import EventRow
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


class TestHeadline:
    def test_at_80_columns_and_more(self, scene: Scene) -> None:
        assert texts(headline(scene, 78)) == [
            "made-up  running  1 min 00 s  ━━━━━━━━━━━━━  9/12  about 20 s left  9 a minute",
            "2 running, 5 stopped, 2 diverged, 2 failed  train.py:train",
            "best loss 0.25  trial 9  ▄▄▄  lr=0.001264 kind=bad sizes=[8]",
        ]
        assert texts(headline(scene, 110))[1].endswith("train.py:train  min loss (best of a trial)")

    def test_what_is_in_the_way(self, scene: Scene) -> None:
        told = texts(headline(replace(scene, trouble="the disk\nis gone"), 78))
        assert told[-1] == "the disk is gone"

    def test_nothing_yet(self, scene: Scene) -> None:
        bare = Scene(name="s", status="running", trainable="t", objective=scene.objective, total=None)
        assert texts(headline(bare, 78)) == ["s  running", "no trials yet  t  min loss (best of a trial)"]
        assert (rungs(bare, 6), nodes(bare, 6), news(bare, 78, 5)) == (None, None, [])

    def test_without_a_number_of_trials_the_bar_is_that_of_time(self, scene: Scene) -> None:
        assert scene.session is not None
        session = replace(scene.session, before_s=30.0)
        timed = headline(replace(scene, total=None, limit_s=120.0, session=session), 90)[0].plain
        assert f"{scene.ended} trials  about 30 s left" in timed
        assert "1 min 00 s  ━" in timed
        assert "about 10 s left" in headline(replace(scene, limit_s=70.0), 90)[0].plain

    @given(st.integers(1, 200))
    def test_it_fits_and_cuts_nothing(self, scene: Scene, width: int) -> None:
        best = scene.best
        assert best is not None
        lines = [*headline(scene, width), *chosen(best, width, 3), *news(scene, width, 20)]
        assert all(line.cell_len <= width for line in lines if width > 60)
        if width >= 60:
            known = {"lr=0.001264", "kind=bad", "sizes=[8]", "…"}
            assert {word for line in lines for word in line.plain.split() if "=" in word} <= known

    def test_a_reason_has_its_own_line(self, scene: Scene) -> None:
        best = scene.best
        assert best is not None
        row = replace(best, reason="ValueError: " + "no good " * 20)
        assert texts(chosen(row, 40, 3)) == [
            "trial 9  lr=0.001264 kind=bad sizes=[8]",
            "",
            "ValueError: no good no good no good no …",
        ]

    def test_nobody_takes_the_terminal_over(self, scene: Scene) -> None:
        wild = replace(scene, name="\x1b]0;mine\x07", trainable="\x1b[2J\x9b31m", trouble="\x1b[31m")
        for line in texts(headline(wild, 120)):
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

    def test_what_does_not_fit_is_left_out_by_words(self) -> None:
        row = EventRow(at=T0, event="stopped", trial=3, reason="0.5 at rung 9, worse than the cutoff 0.25")
        assert news_line(row, 60).plain.split("  ", 1)[1] == "trial 3     stopped    0.5 at rung 9, worse than …"


class TestLog:
    def test_it_grows(self, tmp_path: Path) -> None:
        tail = LogTail(path := tmp_path / "3.log")
        assert (tail.look(), tail.unfinished) == ([], "")
        path.write_bytes(b"one\ntw")
        assert (tail.look(), tail.unfinished) == (["one"], "tw")
        with path.open("ab") as file:
            file.write("o\n\x1b[31mré\x1b[0md\tx\n 10%\r 50%".encode())
        assert (tail.look(), tail.unfinished) == (["two", "réd     x"], " 50%")
        with path.open("ab") as file:
            file.write(b"\r100%\r\n\n")
        assert (tail.look(), tail.unfinished) == (["100%", ""], "")

    def test_of_a_long_one_the_end_is_read(self, tmp_path: Path) -> None:
        (path := tmp_path / "3.log").write_text("".join(f"line {number}\n" for number in range(200_000)))
        lines = LogTail(path).look()
        assert sum(len(line) + 1 for line in lines) == MOST
        assert lines[-1] == "line 199999"

    def test_long_lines_are_folded(self) -> None:
        assert folded(["abcdef", "", "日本語"], 4) == ["abcd", "ef", "", "日本", "語"]
