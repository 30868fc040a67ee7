"""The options that commands share, and the changes to the spec that the short ones stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestrator.source import Source

SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", show_default=False)]
SweepName = Annotated[
    str | None,
    typer.Argument(
        metavar="SWEEP",
        help="A sweep's name or the beginning of it; the latest if left out.",
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=YAML", help="Change the spec, as in --set search.method=random. Repeatable."),
]
Trials = Annotated[int | None, typer.Option("--trials", min=1, help="budget.trials: trials in total.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="search.seed.")]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", min=1, help="resources.concurrency: trials at once, at most.")
]
Name = Annotated[str | None, typer.Option("--name", help="name: what the sweep is called.")]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="WHERE",
        envvar="SWEEP_ON",
        help="Where trials run: local, auto, or host:port of a Ray cluster that this machine is a node of.",
    ),
]
ON = "local"
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs of this machine to use; all if left out.")]
Gpus = Annotated[int | None, typer.Option("--gpus", min=0, help="GPUs of this machine to use; all if left out.")]
Results = Annotated[
    Path, typer.Option("--results", metavar="DIR", envvar="SWEEP_RESULTS", help="Where sweeps are recorded.")
]
RESULTS = Path("results")


def overrides(
    given: list[str] | None,
    *,
    trials: int | None = None,
    seed: int | None = None,
    concurrency: int | None = None,
    name: str | None = None,
    max_failures: int | None = None,
) -> list[str]:
    """The ``--set`` texts, those of the short options last."""
    short = {
        "budget.trials": trials,
        "search.seed": seed,
        "resources.concurrency": concurrency,
        "name": name,
        "budget.max_failures": max_failures,
    }
    return [*(given or ()), *(f"{key}={json.dumps(v)}" for key, v in short.items() if v is not None)]


def checked(path: Path, changes: list[str]) -> Source:
    """Read a spec and hold it against its trainable.

    Raises:
        SpecError: With every mistake.
    """
    from orchestrator.loading import declared
    from orchestrator.source import Source
    from orchestrator.spec import read_spec

    spec = read_spec(path, overrides=changes, resolve=declared)
    base = path.resolve().parent
    return Source(spec=spec, text=path.read_bytes(), base=base, declaration=declared(spec.trainable, base))
