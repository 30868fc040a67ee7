"""The options that commands share, and the changes to the spec that the short ones stand for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orchestrator.spec import Spec
    from trainables.contract import Declaration

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


@dataclass(frozen=True, kw_only=True)
class CheckedSpec:
    """A spec without mistakes, what its trainable declares, and the file it came from."""

    spec: Spec
    declaration: Declaration | None
    path: Path

    @property
    def base(self) -> Path:
        """Where the spec's relative paths begin."""
        return self.path.resolve().parent


def checked(path: Path, changes: list[str]) -> CheckedSpec:
    """Read a spec and hold it against its trainable.

    Raises:
        SpecError: With every mistake.
    """
    from orchestrator.loading import declared
    from orchestrator.spec import read_spec

    spec = read_spec(path, overrides=changes, resolve=declared)
    return CheckedSpec(spec=spec, declaration=declared(spec.trainable, path.resolve().parent), path=path)
