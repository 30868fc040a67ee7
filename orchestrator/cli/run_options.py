"""The options that say where and how a sweep runs: declared once, taken by launch, resume and confirm as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, get_type_hints

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat, say
from orchestrator.cli.options import (
    CLUSTER_RESULTS,
    ON,
    RESULTS,
    TEXT,
    ClusterResults,
    Cpus,
    Detach,
    Gpus,
    Grace,
    Nodes,
    On,
    OutputFormat,
    Profile,
    Results,
    Reuse,
    Wait,
)
from orchestrator.driver.signals import GRACE_S
from orchestrator.errors import OptionsError

if TYPE_CHECKING:
    from cluster.engine import Engine
    from orchestrator.sites.profiles import Site


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where and how a sweep runs. Each field is an option, declared by its annotation."""

    on: On = ON
    wait: Wait = False
    cpus: Cpus = None
    gpus: Gpus = None
    nodes: Nodes = None
    results: Results = RESULTS
    grace: Grace = GRACE_S
    profile: Profile = False
    detach: Detach = False
    format_: OutputFormat = TEXT

    @property
    def as_json(self) -> bool:
        """Whether a program reads the output."""
        return self.format_ is TextFormat.JSON

    def site(self) -> Site:
        """The place that ``--on`` names.

        Raises:
            UserError: There is no such place.
        """
        from orchestrator.sites.profiles import site

        return site(self.on)

    def slurm_site(self) -> Site | None:
        """The site profile for Slurm that ``--on`` names; None if it names another kind of place.

        Raises:
            UserError: ``--on`` names no place, or an option does not fit it.
        """
        return options.slurm_site(self.on, nodes=self.nodes, detach=self.detach, cpus=self.cpus, gpus=self.gpus)

    def check_no_local_limits(self, place: str) -> None:
        """Refuse limits on this machine for a sweep that runs elsewhere.

        Raises:
            UserError: ``--cpus`` or ``--gpus`` is given.
        """
        if self.cpus is not None or self.gpus is not None:
            raise OptionsError(f"--cpus and --gpus require --on local; the nodes of {place} report their own")

    def engine(self) -> Engine:
        """The engine for a sweep whose driver is this process.

        Raises:
            UserError: ``--on`` names no such engine, or ``--cpus`` or ``--gpus`` does not fit it.
        """
        from orchestrator.sites.placement import engine_at

        return engine_at(self.on, cpus=self.cpus, gpus=self.gpus)

    def waiting(self) -> Callable[[str], None] | None:
        """Prints what a sweep waits for; None without ``--wait``.

        Raises:
            UserError: ``--wait`` is given for this machine.
        """
        if self.wait and self.on == ON:
            raise OptionsError("--wait requires a cluster (--on …)")
        return say if self.wait else None

    def words(self) -> list[str]:
        """The options that a driver elsewhere needs too, as words of a command line."""
        grace = self.grace if self.grace != GRACE_S else None
        return options.as_words(wait=self.wait, grace=grace, profile=self.profile, json=self.as_json)


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(RunOptions):
    """Where and how a new sweep runs, and where it is recorded if it runs on a cluster."""

    reuse: Reuse = False
    cluster_results: ClusterResults = CLUSTER_RESULTS

    def words(self) -> list[str]:
        """As for every sweep, and what only a new one needs."""
        return [*super().words(), *options.as_words(reuse=self.reuse)]


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameter ``run`` by one option for each field of its type, RunOptions or LaunchOptions."""
    signature = inspect.signature(command, eval_str=True)
    kind: type[RunOptions] = signature.parameters["run"].annotation
    declared = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)]

    @functools.wraps(command)
    def typed(**given: object) -> None:
        run = kind(**{name: given.pop(name) for name in names})  # type: ignore[arg-type]
        command(**given, run=run)

    replaced = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=declared[name])
        for name, field in zip(names, fields(kind), strict=True)
    ]
    kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
    at = list(signature.parameters).index("run")
    parameters = [*kept[:at], *replaced, *kept[at + 1 :]]
    typed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {each.name: each.annotation for each in parameters}
    return typed
