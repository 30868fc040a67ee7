"""Which sweep comes from which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.compare.lineage import lineage
from orchestrator.analysis.summary.overview import Overview
from tests.cli.conftest import Ran
from tests.cli.conftest import sweep as sweep
from tests.cli.recorded import record


def sweeps(**parents: str) -> list[Overview]:
    return [Overview(name=name, status="finished", parent=parent) for name, parent in parents.items()]


def test_each_below_its_parent_in_their_order() -> None:
    found = lineage(sweeps(a="", b="a", c="", d="b", e="a", f="gone"))
    assert [(each.sweep.name, each.depth) for each in found] == [
        ("a", 0),
        ("b", 1),
        ("d", 2),
        ("e", 1),
        ("c", 0),
        ("f", 0),
    ]


names = st.sampled_from("abcde")


@given(st.dictionaries(names, st.one_of(names, st.just(""), st.just("gone"))))
def test_every_sweep_once_whatever_they_say(parents: dict[str, str]) -> None:
    found = lineage(sweeps(**parents))
    assert sorted(each.sweep.name for each in found) == sorted(parents)


def test_ls_draws_it(sweep: Callable[..., Ran], tmp_path: Path) -> None:
    for name, parent in (
        ("churn", None),
        ("other", "elsewhere"),
        ("churn-next", "churn"),
        ("churn-confirm", "churn-next"),
    ):
        record(tmp_path / "results", name=name, parent=parent, budget={"trials": 1})
    lines = sweep("ls", "--tree").out.splitlines()[1:]
    assert [line[:23].rstrip() for line in lines] == [
        "churn",
        "└ churn-next",
        "  └ churn-confirm",
        "other (from elsewhere)",
    ]
    assert '"parent": "churn-next"' in sweep("ls", "--format", "json").out
