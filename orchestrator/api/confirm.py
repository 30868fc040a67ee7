"""``orchestrator.confirm``: what `sweep confirm` does, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api.loaded import Sweep


def confirm(
    sweep: str | Path | Sweep,
    train: Callable[..., Any] | None = None,
    *,
    top: int = 5,
    seeds: int = 5,
    overrides: Sequence[str] = (),
    on: str = "local",
    cpus: int | None = None,
    gpus: int | None = None,
    project: str | Path | None = None,
    progress: bool | None = None,
) -> Sweep:
    """Train the best configurations of a sweep again, each several times with fresh seeds, as a new sweep beside it.

    Args:
        sweep: The sweep, or its directory, as in ``confirm("results/churn")``.
        train: The trainable, if it was given from Python to the sweep, in a notebook or inside a function.
        top: The number of configurations, the best first.
        seeds: How often each is trained.
        overrides: Changes to the new sweep's spec, written as for ``--set``.
        on, cpus, gpus, progress: As for :func:`run`.
        project: Where the code and data of the sweep are now: the directory of its spec. None: where they were, or
            where they have moved together with the sweep's directory.

    Returns:
        The new sweep, as :func:`load` returns it. `sweep show NAME --repeats` compares its configurations.

    Raises:
        NoSuchSweepError: There is no such sweep.
        SweepError: No trial of it has a result, or as for :func:`run`.
    """
    from orchestrator.after.confirm import confirming_sweep
    from orchestrator.api.loaded import Sweep, load
    from orchestrator.api.progress import ProgressDisplay
    from orchestrator.driver.launch import launch
    from orchestrator.sites.placement import engine_at
    from orchestrator.spec.load_trainable import refuse_while_importing

    refuse_while_importing()
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    first = sweep if isinstance(sweep, Sweep) else load(sweep)
    source = confirming_sweep(
        first.paths,
        first.info,
        best=top,
        seeds=seeds,
        overrides=overrides,
        project=None if project is None else Path(project),
        train=train,
    )
    with ProgressDisplay(progress, source.name) as shown:
        paths = launch(source, results=first.paths.root.parent, engine=engine, observer=shown.observer)
    return load(paths.root)
