"""What `sweep check` says about a command: how a trial starts it, and what is taken from a sample of its output."""

from __future__ import annotations

import random
from typing import Any

from orchestrator.formatting import count
from orchestrator.space.space import Space
from orchestrator.suggestions import did_you_mean
from trainables.command.metrics.proposal import line_of_spec
from trainables.command.program import Program
from trainables.command.sample import Taken
from trainables.configuration import nested

TRIED = 100
"""Configurations that are drawn to find one that meets the constraints."""
SHOWN = 3
"""Steps of a sample that are printed, from its beginning; and the last one."""


def example(program: Program, space: Space) -> list[str]:
    """The arguments for a configuration of the space; directories and files keep their placeholders."""
    drawn = [space.sample(random.Random(seed)) for seed in range(TRIED)]
    config = next(filter(space.feasible, drawn), drawn[0])
    return program.example(nested(space.given(config)))


def taken_text(taken: Taken, objective: str) -> str:
    """The steps that a sample has, one a line, and what is odd about them."""
    by = f"counted by {taken.key}" if taken.key else f"counted by {objective}"
    nothing = "no metrics are found" + (f"; they are with:\n{line_of_spec(taken.pattern)}" if taken.pattern else "")
    head = f"{count(len(taken.steps), 'step')}, {by}:" if taken.steps else nothing
    few = taken.steps[:SHOWN]
    lines = [_line(each.step, dict(each.metrics)) for each in few]
    if len(taken.steps) > SHOWN + 1:
        lines.append("  …")
    if len(taken.steps) > SHOWN:
        lines.append(_line(taken.steps[-1].step, dict(taken.steps[-1].metrics)))
    return "\n".join([head, *lines])


def warnings(taken: Taken, objective: str) -> list[str]:
    """What is wrong with what is taken."""
    names = {name for each in taken.steps for name in each.metrics}
    found = [f"not recorded: {remark}" for remark in taken.remarks]
    if taken.steps and objective not in names:
        found.append(f"no step has the objective {objective} ({did_you_mean(objective, sorted(names))})")
    return found


def taken_data(taken: Taken, objective: str) -> dict[str, Any]:
    """What is taken, as data."""
    return {
        "step": taken.key or None,
        "pattern": taken.pattern or None,
        "steps": [{"step": each.step, "metrics": dict(each.metrics)} for each in taken.steps],
        "warnings": warnings(taken, objective),
    }


def _line(step: int, metrics: dict[str, float]) -> str:
    return f"  step {step:<5} " + "  ".join(f"{name} {value:.5g}" for name, value in metrics.items())
