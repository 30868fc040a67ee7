"""What further trials would bring, in the words of `sweep show` and on the screen of `sweep watch`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.analysis.outlook.outlook import Outlook
from orchestrator.analysis.watch.follow import Follower
from orchestrator.cli.live.watch.headline import headline
from orchestrator.cli.views.outlook import outlook_text
from tests.cli.conftest import Ran
from tests.cli.recorded import record


def of(trials: int, chance: float) -> Outlook:
    return Outlook(trials=trials, chance=chance, low=0.00213, gain=0.0104, high=0.041)


def test_in_one_line() -> None:
    found = [of(10, 0.224), of(40, 0.55), of(100, 0.78)]
    assert outlook_text(found, "loss") == (
        "10 more trials: 22% chance of a better loss; 40: 55%; 100: 78%, by about 0.01 (0.0021 to 0.041)"
    )
    assert outlook_text([], "loss") == ""


def test_nothing_is_certain() -> None:
    assert "10 more trials: <1% chance" in outlook_text([of(10, 0.001)], "loss")
    assert "10 more trials: >99% chance" in outlook_text([of(10, 0.9999)], "loss")


def test_show_and_watch_say_it_of_a_sweep_with_results_enough(sweep: Callable[..., Ran], tmp_path: Path) -> None:
    few, many = (
        record(tmp_path / "results", name=name, budget={"trials": n}) for name, n in (("few", 9), ("many", 60))
    )
    assert "more trials" not in sweep("show", "few").out
    line = next(line for line in sweep("show", "many").out.splitlines() if "more trials" in line)
    assert line.startswith("10 more trials: ")
    assert line in [text.plain for text in headline(Follower(many).look(0.0), 200)]
    assert not Follower(few).look(0.0).outlook
