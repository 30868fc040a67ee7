"""Site profiles: named settings for clusters, such as what to ask Slurm for, so that ``--on`` needs only one word.

They are in profiles.yaml in the user's configuration directory: they belong to a user and a site, not to a spec.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema

from cluster.errors import ClusterError
from cluster.imagined import PLENTY
from cluster.inventory import Node
from cluster.launchers.slurm import Allocation
from cluster.where import AUTO, LOCAL, SLURM, Local, Where, where
from orchestrator.errors import ClusterUseError, UserError
from orchestrator.formatting import shown
from orchestrator.space.values import is_number, mistake
from orchestrator.spec.model import Spec
from orchestrator.spec.quantities import Bytes, seconds
from orchestrator.spec.reading import text_of
from orchestrator.spec.sections import Section
from orchestrator.spec.validation_messages import add_validation_errors
from orchestrator.yaml.reader import from_yaml

PROFILES = "SWEEP_PROFILES"
"""The environment variable with the path of another profiles file."""

PACKAGES = "SWEEP_PACKAGES"
"""The environment variable with the profile's packages for the driver in a job, quoted as for a shell."""

_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", re.ASCII)  # Slurm's, without the ambiguous shorter forms
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")


def _walltime(value: Any) -> float:
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return seconds(float(((days * 24 + hours) * 60 + minutes) * 60 + rest))
    if is_number(value):  # Slurm would read minutes, the spec seconds
        raise mistake(f"{shown(value)} has no unit", "as in 30m, 4h, 1-12:00:00")
    return seconds(value)


def _gpus(value: Any) -> str:
    if re.fullmatch(r"(?:[\w.-]+:)?[1-9]\d*", str(value)) and not isinstance(value, bool | float):
        return str(value)
    raise mistake(f"{shown(value)} is not a number of GPUs", "as in 4, or with the type as in a100:4")


def _place(value: str) -> str:
    with suppress(ClusterError):
        if not isinstance(where(value), Local):
            return value
    raise mistake(
        f"{shown(value)} is not a cluster",
        "slurm, auto, host:port of a Ray cluster, or http://host:8265 of its Jobs API",
    )


def _variable(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise mistake(f"{shown(name)} is not a valid name of an environment variable", "letters, digits and _")


def _plain(value: Any) -> Any:
    return str(value) if is_number(value) else value


def _no_secret(environment: dict[str, str]) -> dict[str, str]:
    for name in environment:
        if _SECRET.search(name.upper()):
            raise mistake(
                f"{name} looks like a secret",
                "list its name under secrets: the value is taken from your environment at launch",
            )
    return environment


def _command(text: str) -> str:
    try:
        if shlex.split(text):
            return text
        problem = "it is empty"
    except ValueError as error:
        problem = str(error)
    raise mistake(f"{shown(text)} is not a command: {problem}", "as in apptainer exec --nv image.sif")


Walltime = Annotated[
    float, BeforeValidator(_walltime), WithJsonSchema({"type": "string", "examples": ["4h", "1-12:00:00"]})
]
Variable = Annotated[str, AfterValidator(_variable)]
Environment = Annotated[dict[Variable, Annotated[str, BeforeValidator(_plain)]], AfterValidator(_no_secret)]
Word = Annotated[str, Field(min_length=1)]


class Profile(Section):
    """One site profile. Profiles that are not for Slurm can only have on, env and packages."""

    on: Annotated[str, AfterValidator(_place)] = Field(
        default=SLURM, description="slurm, or another value of --on: auto, host:port, http://host:8265."
    )
    nodes: int = Field(default=1, ge=1, description="Number of nodes; --nodes overrides it.")
    cpus_per_node: int | None = Field(default=None, ge=1, description="CPUs per node; by default the partition's.")
    gpus_per_node: Annotated[str, BeforeValidator(_gpus)] | None = Field(
        default=None, description="GPUs per node, as in 4, or a100:4 with the type."
    )
    memory: Bytes | None = Field(default=None, description="Memory per node, as in 64GB; by default the partition's.")
    time: Walltime | None = Field(
        default=None,
        description="Time limit of a job, as in 4h or 1-12:00:00; by default the partition's. A longer sweep "
        "stops in order shortly before, is queued again, and resumes.",
    )
    partition: Word | None = Field(default=None, description="As for sbatch.")
    account: Word | None = Field(default=None, description="As for sbatch.")
    qos: Word | None = Field(default=None, description="As for sbatch.")
    constraint: Word | None = Field(default=None, description="As for sbatch.")
    modules: list[Word] = Field(default=[], description="Environment modules to load before the job starts.")
    container: Annotated[str, AfterValidator(_command)] | None = Field(
        default=None,
        description="Command that runs python3 in a container, as apptainer exec --nv image.sif. The image "
        "must have Ray and sweep-orchestrator.",
    )
    env: Environment = Field(default={}, description="Environment variables for the trials. Not for secrets.")
    packages: list[Word] = Field(
        default=[], description="Packages that Ray installs for the trials, as for pip: torchmetrics==1.4."
    )
    secrets: list[Variable] = Field(
        default=[],
        description="Names of environment variables that must be set where you launch. Their values are passed in the "
        "job's environment and never written to a file.",
    )

    def allocation(self, nodes: int | None) -> Allocation:
        """What to ask Slurm for; ``nodes`` overrides the profile's number."""
        return Allocation(
            nodes=nodes or self.nodes,
            cpus_per_node=self.cpus_per_node,
            gpus_per_node=self.gpus_per_node,
            memory=self.memory,
            seconds=self.time,
            partition=self.partition,
            account=self.account,
            qos=self.qos,
            constraint=self.constraint,
        )

    def runtime_env(self) -> dict[str, Any]:
        """Ray's runtime environment for the workers; with Slurm, env is part of the job's environment instead."""
        shipped: dict[str, Any] = {"pip": self.packages, "env_vars": {} if self.on == SLURM else self.env}
        return {key: value for key, value in shipped.items() if value}


_ANYWHERE = {"on", "env", "packages"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """The place that a value of ``--on`` means."""

    name: str  # as the user wrote it
    where: Where
    profile: Profile

    def expected(self, spec: Spec, nodes: int | None = None) -> list[Node]:
        """The nodes that a profile for Slurm describes; none if the profile leaves the CPUs to the partition.

        Other resources that the profile does not mention are assumed to be sufficient.

        Args:
            spec: The sweep's spec.
            nodes: The number of nodes; None for the profile's.
        """
        asked = self.profile.allocation(nodes)
        if asked.cpus_per_node is None:
            return []
        node = Node(
            name=f"a node of {self.name}",
            cpus=float(asked.cpus_per_node),
            gpus=float((asked.gpus_per_node or "0").rpartition(":")[2]),
            memory=float(asked.memory or PLENTY),
            accelerator=spec.resources.accelerator or "",
            custom=dict.fromkeys(spec.resources.custom, PLENTY),
        )
        return [node] * asked.nodes


def site(on: str) -> Site:
    """The place that a value of ``--on`` means: a profile's name, or a place itself.

    Raises:
        UserError: The value is neither.
        SpecError: All mistakes in the profiles.
    """
    word = on.strip()
    known = profiles()
    handed_down = Profile(packages=shlex.split(os.environ.get(PACKAGES, "")))
    profile = known.get(word, handed_down)
    try:
        found = where(word if profile.on == SLURM else profile.on, known)
    except ClusterError as error:
        raise ClusterUseError(str(error)) from error
    return Site(name=word, where=found, profile=profile)


def profiles_file() -> Path:
    """The path of the profiles file, which need not exist."""
    named = os.environ.get(PROFILES)
    if named:
        return Path(os.path.expanduser(named))
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.path.expanduser(home), "sweep", "profiles.yaml")


def profiles() -> Mapping[str, Profile]:
    """The site profiles by name; empty without a file.

    Raises:
        SpecError: All mistakes in the file.
        UserError: SWEEP_PROFILES names a file that does not exist.
    """
    file = profiles_file()
    if not os.path.exists(file):  # nor in a home that may not be read
        if os.environ.get(PROFILES):
            raise UserError(f"{PROFILES} names {file}, which does not exist")
        return {}
    document = from_yaml(text_of(file), str(file), example="mycluster: {partition: gpu}")
    found = {}
    for name, given in document.data.items():
        if name in (LOCAL, AUTO):
            document.add((name,), f"{name} is a reserved name", "another name")
        elif not isinstance(given, dict):
            document.add((name,), f"{shown(given)} is not a profile", "keys and values, as in {partition: gpu}")
        else:
            try:
                found[name] = Profile.model_validate(given)
            except ValidationError as error:
                add_validation_errors(document, error, within=(name,), keys=list(Profile.model_fields))
    for name, profile in found.items():
        if profile.on != SLURM:
            for key in sorted(profile.model_fields_set - _ANYWHERE):
                document.add((name, key), f"{key} is for Slurm, and this is on {profile.on}", "on, env, packages")
    document.raise_mistakes()
    return found
