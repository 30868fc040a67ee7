"""How long does the driver take for a trial's message, a proposal of tpe, and a table of 100,000 trials?

Messages: two trials reach a rung with every report, so that the driver must answer each one. The driver's CPU time
between two messages counts; the wall time is longer, because workers use the same cores.
Proposals: nine parameters, with a given number of results and a hundred running trials, as on a cluster.
Table: one block of it has changed, as is usual in a long sweep.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Case, Comparison, Figures, Question, main

MESSAGES = 4_000
TRIALS = 2
RUNNING = 100
PARAMETERS = 9
KNOWN = (500, 2_500)
ASKS = 20
ROWS = 100_000


def train(config: dict[str, Any], trial: Any) -> None:
    """Report at rungs only, so that the driver answers each report."""
    for step in range(1, MESSAGES + 1):
        trial.report(step=step, loss=config["x"])


def messages() -> Figures:
    """Time messages through Ray, with complete records."""
    import ray.tune  # noqa: F401

    from benchmarks.ours import fit, random_search
    from orchestrator.core.schedulers.none import NoScheduler
    from orchestrator.tune.hooks import SweepScheduler

    seen: list[tuple[float, float]] = []
    on_trial_result = SweepScheduler.on_trial_result

    def counted(*arguments: Any) -> Any:
        seen.append((time.perf_counter(), time.thread_time()))
        return on_trial_result(*arguments)

    SweepScheduler.on_trial_result = counted  # type: ignore[method-assign]
    NoScheduler.rungs = lambda self, trial: tuple(range(1, MESSAGES + 1))  # type: ignore[method-assign]
    _, sweep = fit(train, random_search(TRIALS))
    assert len(sweep.metrics) == TRIALS * MESSAGES
    middle = len(seen) // 4, 3 * len(seen) // 4  # both run
    wall, cpu = ((seen[middle[1]][clock] - seen[middle[0]][clock]) / (middle[1] - middle[0]) * 1e3 for clock in (0, 1))
    return {"ms": cpu, "wall_ms": wall}


def asks() -> Figures:
    """Time proposals without Ray."""
    from orchestrator.core.search import Observation, Outcome
    from orchestrator.core.search.optuna_sampler import tpe

    space = _space(PARAMETERS)
    search, draws, figures = tpe(space, 0, "min"), random.Random(0), {}
    for running in range(RUNNING):
        search.resume(running, space.sample(draws))
    known = RUNNING
    for wanted in KNOWN:
        for number in range(known, wanted):
            config = space.sample(draws)
            value = sum(config.values())
            search.tell(Observation(number=number, config=config, outcome=Outcome.COMPLETED, value=value))
        began = time.thread_time()
        for number in range(wanted, wanted + ASKS):
            search.ask(number, lambda config: True)
        figures[f"ms_{wanted}"] = (time.thread_time() - began) / ASKS * 1e3
        for number in range(wanted, wanted + ASKS):
            search.forget(number)
        known = wanted
    few, many = KNOWN
    each = (figures[f"ms_{many}"] - figures[f"ms_{few}"]) / (many - few)
    return {**figures, "ms_each": each, "ms_none": figures[f"ms_{few}"] - few * each}


def table() -> Figures:
    """Time writing a table with nine parameters."""
    import dataclasses

    from orchestrator.core.rows import State, TrialRow
    from orchestrator.records.trials_table import TrialsTable

    space, draws, path = _space(PARAMETERS), random.Random(0), Path("trials.parquet")
    kinds = {name: each.kind for name, each in space.parameters.items()}
    trials = TrialsTable(path, "large", kinds)
    rows = [
        TrialRow(
            trial=n, state=State.COMPLETED, config=space.sample(draws), started_at=n, ended_at=n, train_s=draws.random()
        )
        for n in range(ROWS)
    ]
    for row in rows:
        trials.put(row)
    trials.write()
    trials.put(dataclasses.replace(rows[-1], train_s=1.0))
    began = time.perf_counter()
    trials.write()
    return {"s": time.perf_counter() - began, "mb": path.stat().st_size / 1e6}


def _space(parameters: int) -> Any:
    from orchestrator.spec import parse_spec

    space = {f"x{number}": {"uniform": [0, 1]} for number in range(parameters)}
    return parse_spec(
        {"trainable": "m:t", "space": space, "objective": {"metric": "loss"}}, base=Path()
    ).parameter_space()


QUESTION = Question(
    name="driver",
    title="What the driver spends on messages, on proposals of tpe and on a large table",
    cases={
        "messages": Case(run=messages, repeats=3),
        "asks": Case(run=asks, repeats=3),
        "table": Case(run=table, repeats=3),
    },
    comparisons=[
        Comparison(row="14", what="a message that is waited for", figure="ms", unit="ms", ours="messages", target=2),
        Comparison(
            row="14", what="a proposal of tpe after 2,500 trials", figure="ms_2500", unit="ms", ours="asks", target=50
        ),
        Comparison(row="14", what="writing a table of 100,000 trials", figure="s", ours="table", target=1),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
