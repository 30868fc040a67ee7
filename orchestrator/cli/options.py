"""The options that commands share, and the changes to the spec that the short ones stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.where import Batch, Jobs
from orchestrator.cli.formats import Format, TextFormat
from orchestrator.errors import UserError

if TYPE_CHECKING:
    from orchestrator.sites.profiles import Site
    from orchestrator.spec.source import Source

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
        help="Where trials run: local; auto or host:port of a Ray cluster that this machine is a node of; "
        "http://host:8265 of one that it is not; slurm; or the name of a site profile.",
    ),
]
ON = "local"
MaxGpus = Annotated[
    float | None,
    typer.Option("--max-gpus", help="resources.max_gpus: GPUs that all trials together occupy at most."),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="If no trial fits, wait for a node of the cluster on which one does.")
]
Nodes = Annotated[int | None, typer.Option("--nodes", min=1, help="Nodes to ask Slurm for; else the profile's.")]
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs of this machine to use; all if left out.")]
Gpus = Annotated[int | None, typer.Option("--gpus", min=0, help="GPUs of this machine to use; all if left out.")]
Results = Annotated[
    Path, typer.Option("--results", metavar="DIR", envvar="SWEEP_RESULTS", help="Where sweeps are recorded.")
]
RESULTS = Path("results")
ClusterResults = Annotated[
    str,
    typer.Option(
        "--cluster-results",
        metavar="DIR",
        envvar="SWEEP_CLUSTER_RESULTS",
        help="With --on http://…: where the cluster records sweeps. All its nodes must see it.",
    ),
]
CLUSTER_RESULTS = "~/sweeps"
Profile = Annotated[bool, typer.Option("--profile", help="Say at the end where the time of the slots went.")]
AnswerFormat = Annotated[Format, typer.Option("--format", help="Output format; --json is short for json.")]
OutputFormat = Annotated[TextFormat, typer.Option("--format", help="Output format; --json is short for json.")]
TEXT = TextFormat.TEXT
Detach = Annotated[
    bool,
    typer.Option("-d", "--detach", help="With --on http://…, slurm or a profile: return when it was handed in there."),
]


def overrides(
    given: list[str] | None,
    *,
    trials: int | None = None,
    seed: int | None = None,
    concurrency: int | None = None,
    name: str | None = None,
    max_gpus: float | None = None,
    max_failures: int | None = None,
) -> list[str]:
    """The ``--set`` texts, those of the short options last."""
    short = {
        "budget.trials": trials,
        "search.seed": seed,
        "resources.concurrency": concurrency,
        "resources.max_gpus": max_gpus,
        "name": name,
        "budget.max_failures": max_failures,
    }
    return [*(given or ()), *(f"{key}={json.dumps(v)}" for key, v in short.items() if v is not None)]


def slurm_site(
    on: str,
    *,
    nodes: int | None = None,
    detach: bool = False,
    cpus: int | None = None,
    gpus: int | None = None,
) -> Site | None:
    """The site profile for Slurm that ``--on`` names; None if it names another kind of place.

    Raises:
        UserError: ``--on`` names no place, or another option does not fit it.
    """
    from orchestrator.sites.profiles import site

    found = site(on)
    if not isinstance(found.where, Batch):
        if nodes is not None:
            raise UserError(f"--nodes requires Slurm, not --on {on}")
        if detach and not isinstance(found.where, Jobs):
            raise UserError(f"--detach requires --on slurm, a Slurm profile or http://…, not --on {on}")
        return None
    if cpus is not None or gpus is not None:
        raise UserError("--cpus and --gpus require --on local; set cpus_per_node and gpus_per_node in the site profile")
    return found


def as_words(**given: object) -> list[str]:
    """Options as they are typed: those that are not set left out, those that can be repeated repeated."""
    words: list[str] = []
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            words += [word for each in value for word in (option, str(each))]
        elif value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [option, str(value)]
    return words


def checked(path: Path, changes: list[str]) -> Source:
    """Read a spec and hold it against its trainable.

    Raises:
        SpecError: With every mistake.
    """
    from orchestrator.spec import read_spec
    from orchestrator.spec.load_trainable import declared
    from orchestrator.spec.source import Source

    spec = read_spec(path, overrides=changes, resolve=declared)
    base = path.resolve().parent
    return Source(
        spec=spec,
        text=path.read_bytes(),
        base=base,
        declaration=declared(spec.trainable, base),
        file=path,
        overrides=changes,
    )
