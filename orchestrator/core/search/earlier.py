"""Trials of earlier sweeps, in the terms of a new one, for its search to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.rows import Config
from orchestrator.core.search import Observation, Outcome, Search

START_POINTS = 3
"""The most configurations of one sweep to begin with."""

_JUDGED = (Outcome.RUNG, Outcome.STOPPED, Outcome.COMPLETED)


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierTrial:
    """A trial of an earlier sweep.

    Attributes:
        config: Its configuration, complete and within the new space.
        outcome: How it ended; RUNG if it was cancelled after it had reached a rung.
        values: The objective at the rungs that it reached, and as its result: (step, value), ascending in steps.
        train_s: Seconds of training; None if they were not recorded.
    """

    config: Config
    outcome: Outcome
    values: tuple[tuple[int, float], ...] = ()
    train_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """Trials of one earlier sweep.

    Attributes:
        sweep: Its name.
        comparable: Whether the values can be compared with those of the new sweep, because trainable, data and fixed
            values are the same. If not, only the best configurations are tried.
        trials: In the order in which they ended.
    """

    sweep: str
    comparable: bool
    trials: tuple[EarlierTrial, ...]


def start_points(earlier: Sequence[Earlier], mode: str) -> list[Config]:
    """The best configurations of sweeps that are not comparable, for the new sweep to begin with.

    Of trials that ended at different steps, the longer one is the better one: the scheduler let it go on.
    """
    sign = 1 if mode == "min" else -1
    found: list[Config] = []
    for each in earlier:
        if not each.comparable:
            judged = [trial for trial in each.trials if trial.values and trial.outcome in _JUDGED]
            judged.sort(key=lambda trial: (-trial.values[-1][0], sign * trial.values[-1][1]))
            found += [trial.config for trial in judged[:START_POINTS]]
    return found


def teach(search: Search, earlier: Sequence[Earlier]) -> None:
    """Tell a search of the comparable trials, as of its own with the numbers -1, -2, …"""
    number = 0
    for each in earlier:
        for trial in each.trials if each.comparable else ():
            if not trial.outcome.ended:
                continue
            number -= 1
            step, value = trial.values[-1] if trial.values else (None, None)
            search.tell(
                Observation(
                    number=number,
                    config=trial.config,
                    outcome=trial.outcome,
                    value=value if trial.outcome in (Outcome.STOPPED, Outcome.COMPLETED) else None,
                    step=step,
                    train_s=trial.train_s,
                )
            )
