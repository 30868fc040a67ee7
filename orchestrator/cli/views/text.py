"""Configurations, states, scores, rungs and time accounts as text, as several views print them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.core.rows import State
from orchestrator.core.schedulers import RungSummary
from orchestrator.formatting import duration, yaml

if TYPE_CHECKING:
    from orchestrator.analysis.summary.evaluations import Evaluation
    from orchestrator.core.time_account import TimeAccount
    from orchestrator.spec.sections import Unit


def cell(value: Any) -> str:
    """A value in a table."""
    match value:
        case None:
            return "–"
        case float():
            return f"{value:.5g}"
        case Mapping():
            return config_line(value)
    return str(value)


def config_line(config: Mapping[str, Any]) -> str:
    """A configuration on one line: ``lr=0.0123 optimizer=adam``."""
    return " ".join(f"{name}={_short(value)}" for name, value in config.items())


def config_yaml(config: Mapping[str, Any]) -> str:
    """A configuration as YAML, every digit kept; readers of YAML 1.1 and 1.2 get the same from it."""
    return "\n".join(f"{name}: {yaml(value)}" for name, value in config.items())


def one_line(text: str, limit: int = 300) -> str:
    """A message on one line, cut at ``limit`` characters."""
    joined = " ".join(text.split())
    return joined if len(joined) <= limit else f"{joined[: limit - 1]}…"


def state_counts(states: Mapping[State, int]) -> str:
    """``12 completed, 3 failed``, in the order of a trial's life."""
    return ", ".join(f"{states[state]} {state}" for state in State if states.get(state))


def evaluated(found: Evaluation) -> str:
    """An evaluation on one line."""
    return (
        f"trial {found.trial}'s {found.checkpoint} checkpoint, step {found.step}, on the test set:"
        f" {scores_line(found.scores)} ({found.at:%Y-%m-%d %H:%M} UTC)"
    )


def scores_line(scores: Mapping[str, float]) -> str:
    """``test_loss 0.41, test_auroc 0.84``."""
    return ", ".join(f"{name} {value:.6g}" for name, value in scores.items())


def rung_rows(rungs: Iterable[RungSummary], unit: Unit = "steps") -> list[dict[str, Any]]:
    """The rung table, with columns for the bracket and for paused trials if there are any."""
    shown = [rung for rung in rungs if rung.entered]
    several = len({rung.bracket for rung in shown}) > 1
    pauses = any(rung.paused for rung in shown)
    return [
        {
            **({"bracket": rung.bracket} if several else {}),
            rung_column(unit): rung.rung,
            "entered": rung.entered,
            "went on": rung.entered - rung.stopped - rung.paused,
            **({"paused": rung.paused} if pauses else {}),
            "stopped": rung.stopped - rung.diverged,
            "diverged": rung.diverged,
            "cutoff": rung.cutoff,
        }
        for rung in shown
    ]


def rung_column(unit: Unit) -> str:
    """The head of a column of rungs."""
    return "rung (s)" if unit == "seconds" else "rung"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spent(account: TimeAccount) -> str:
    """How long a sweep ran, and the share of the slots' time that was not training."""
    return f"ran {duration(account.wall_s)}; slots were idle or starting {account.overhead:.0%} of the time"
