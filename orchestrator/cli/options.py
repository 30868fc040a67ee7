"""Arguments and options that several commands share, and the changes to a spec that the short ones stand for."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.where import Batch, Jobs
from orchestrator.cli import completion
from orchestrator.cli.formats import Format, TextFormat, say
from orchestrator.errors import OptionsError

if TYPE_CHECKING:
    from orchestrator.records.paths import SweepPaths
    from orchestrator.sites.profiles import Site
    from orchestrator.spec.source import Source

SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", show_default=False)]
SweepName = Annotated[
    str | None,
    typer.Argument(
        metavar="SWEEP",
        help="Name of a sweep, a prefix of it, or its directory. Default: the latest sweep.",
        show_default=False,
        autocompletion=completion.sweeps,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=YAML",
        help="Change a key of the spec, as in --set search.method=random. Repeatable.",
        autocompletion=completion.overrides,
    ),
]
Trials = Annotated[int | None, typer.Option("--trials", metavar="N", min=1, help="budget.trials: total of trials.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="search.seed.")]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", min=1, help="resources.concurrency: most trials at once.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="name: what the sweep is called.")]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="WHERE",
        envvar="SWEEP_ON",
        help="Where trials run: local; auto or host:port, a Ray cluster with this machine as a node; "
        "http://host:8265, any other Ray cluster; slurm; or a site profile.",
    ),
]
ON = "local"
MaxGpus = Annotated[
    float | None,
    typer.Option("--max-gpus", metavar="N", help="resources.max_gpus: most GPUs for all trials together."),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="Where the sweep's code and data are now, if they are not where they were: the directory of its spec.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="If no trial fits, wait until a node joins on which one does.")]
Nodes = Annotated[
    int | None,
    typer.Option("--nodes", metavar="N", min=1, help="Nodes to request from Slurm. Default: as in the site profile."),
]
Cpus = Annotated[
    int | None, typer.Option("--cpus", metavar="N", min=1, help="CPUs of this machine to use. Default: all.")
]
Gpus = Annotated[
    int | None, typer.Option("--gpus", metavar="N", min=0, help="GPUs of this machine to use. Default: all.")
]


def _no_url(given: Path | str) -> Path | str:
    from orchestrator.records.paths import results_directory

    results_directory(given)
    return given


Results = Annotated[
    Path,
    typer.Option("--results", metavar="DIR", envvar="SWEEP_RESULTS", help="Results directory.", callback=_no_url),
]
RESULTS = Path("results")
ClusterResults = Annotated[
    str,
    typer.Option(
        "--cluster-results",
        metavar="DIR",
        envvar="SWEEP_CLUSTER_RESULTS",
        help="With --on http://…: results directory on the cluster, visible from all its nodes.",
        callback=_no_url,
    ),
]
CLUSTER_RESULTS = "~/sweeps"
Grace = Annotated[
    float,
    typer.Option(
        "--grace",
        metavar="SECONDS",
        min=0,
        help="How long SIGTERM waits for the next reports of running trials before it ends them.",
    ),
]
Reuse = Annotated[
    bool,
    typer.Option(
        "--reuse", help="Take over trials that earlier sweeps have finished with the same code, data, values and seed."
    ),
]
Profile = Annotated[bool, typer.Option("--profile", help="Print at the end where the time of the slots went.")]
AnswerFormat = Annotated[Format, typer.Option("--format", help="Output format; --json is short for json.")]
OutputFormat = Annotated[TextFormat, typer.Option("--format", help="Output format; --json is short for json.")]
TEXT = TextFormat.TEXT
Detach = Annotated[
    bool,
    typer.Option("-d", "--detach", help="With --on slurm or http://…: return once the sweep is submitted."),
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
    """The changes to the spec as ``--set`` texts; those of the short options come last, so they win."""
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
            raise OptionsError(f"--nodes requires Slurm, not --on {on}")
        if detach and not isinstance(found.where, Jobs):
            raise OptionsError(f"--detach requires --on slurm, a Slurm profile or http://…, not --on {on}")
        return None
    if cpus is not None or gpus is not None:
        raise OptionsError(
            "--cpus and --gpus require --on local; set cpus_per_node and gpus_per_node in the site profile"
        )
    return found


def as_seconds(option: str, text: str) -> float:
    """A duration as it is typed: ``90s``, ``1h30m``, or a number of seconds.

    Raises:
        OptionsError: It is none.
    """
    from pydantic_core import PydanticCustomError

    from orchestrator.spec.quantities import seconds

    try:
        return seconds(float(text) if text.replace(".", "", 1).isdecimal() else text)
    except PydanticCustomError as error:
        allowed = (error.context or {}).get("allowed", "")
        raise OptionsError(f"{option}: {error.message()}; allowed: {allowed}") from None


def as_words(**given: object) -> list[str]:
    """Options as words of a command line. Unset ones are left out, lists are repeated."""
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


def sweep_and_trial(words: Sequence[str], *, command: str) -> tuple[str | None, int | None]:
    """A sweep and the number of a trial as they are typed; each may be missing, and a number alone is a trial.

    Raises:
        OptionsError: There are other words.
    """
    match words:
        case []:
            return None, None
        case [word]:
            return (None, int(word)) if word.isdecimal() else (word, None)
        case [sweep, trial] if trial.isdecimal():
            return sweep, int(trial)
        case [_, trial]:
            raise OptionsError(f"{trial!r} is not a trial; trials are numbered from 0")
    raise OptionsError(
        f"{command} takes one sweep and one trial, as in: sweep {command} churn 3; not: {' '.join(words)}"
    )


def checked(path: Path, changes: list[str], *, with_data: bool = True) -> Source:
    """Read a spec and check it against its trainable. What is no mistake, and yet odd, is said.

    Args:
        path: The spec's file.
        changes: ``--set`` texts.
        with_data: Whether the trainable is to look into its data.

    Raises:
        SpecError: All mistakes in the spec.
    """
    from orchestrator.sites.asked_resources import with_asked_resources
    from orchestrator.space.never import never_active
    from orchestrator.spec import read_spec
    from orchestrator.spec.load_trainable import declared, known
    from orchestrator.spec.reading import text_to_record
    from orchestrator.spec.source import Source

    def warn(sentence: str) -> None:
        say(f"warning: {sentence}")

    spec = read_spec(path, overrides=changes, resolve=known, warn=warn if with_data else None)
    for _, sentence in never_active(spec.parameter_space()):
        warn(sentence)
    base = path.resolve().parent
    source = Source(
        spec=spec,
        text=text_to_record(path, spec),
        base=base,
        declaration=declared(spec.trained, base),
        file=path,
        overrides=changes,
    )
    return with_asked_resources(source)


def typed(paths: SweepPaths) -> str:
    """A sweep as a command line names it: by name in the default results directory, else by path."""
    default = Path(os.environ.get("SWEEP_RESULTS") or RESULTS)
    return paths.name if paths.root.parent.resolve() == default.resolve() else shlex.quote(str(paths.root))
