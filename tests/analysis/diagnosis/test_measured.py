"""The diagnosis on recorded curves with known causes: the figures in docs/diagnosis.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.diagnosis import CHURN, MEASURED, Judged, judged, matrix, read, summary

PAGE = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text()


@pytest.fixture(scope="module")
def measured() -> list[Judged]:
    return judged(read(MEASURED))


def test_there_are_enough_of_each(measured: list[Judged]) -> None:
    causes = Counter(each.run.cause for each in measured)
    assert causes.pop("healthy") == 15
    assert causes.pop("borderline") == 10
    assert sum(causes.values()) == 60
    assert {each.run.table for each in measured} == {"breast_cancer", "digits", "diabetes"}


def test_it_is_right_often_enough_and_leaves_healthy_ones_alone(measured: list[Judged]) -> None:
    clear = [each for each in measured if each.run.cause != "borderline"]
    assert sum(each.right for each in clear) >= 0.85 * len(clear)
    assert sum(not each.right for each in clear if each.run.cause == "healthy") <= 1


@pytest.mark.parametrize("curves", [MEASURED, CHURN], ids=["measured", "churn"])
def test_the_page_says_what_came_out(curves: Path) -> None:
    found = judged(read(curves))
    assert matrix(found) in PAGE
    assert summary(found) in PAGE


def test_a_trial_alone_is_never_called_faulty_where_it_is_healthy() -> None:
    alone = judged(read(MEASURED), alone=True)
    assert all(each.right for each in alone if each.run.cause == "healthy")
    assert summary(alone) in PAGE
