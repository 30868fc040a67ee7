"""Site profiles: what a cluster wants to be asked for, by name, so that ``--on`` needs one word.

They stand in profiles.yaml, in the user's configuration directory: they belong to a person and a place, not to a spec.
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
from orchestrator.errors import UserError
from orchestrator.space.values import is_number, mistake, shown
from orchestrator.spec.model import Section, Spec
from orchestrator.spec.quantities import Bytes, seconds
from orchestrator.spec.reading import text_of
from orchestrator.spec.validation_messages import note
from orchestrator.yaml.reader import from_yaml

PROFILES = "SWEEP_PROFILES"
"""The environment variable that names another file of profiles."""

PACKAGES = "SWEEP_PACKAGES"
"""The environment variable by which the driver in a job is told of the profile's packages; as in a shell's command."""

_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", re.ASCII)  # Slurm's; its shorter forms are easily misread
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")


def _walltime(value: Any) -> float:
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return seconds(float(((days * 24 + hours) * 60 + minutes) * 60 + rest))
    if is_number(value):  # Slurm's are minutes, the spec's seconds
        raise mistake(f"{shown(value)} has no unit", "as in 30m, 4h, 1-12:00:00")
    return seconds(value)


def _gpus(value: Any) -> str:
    if re.fullmatch(r"(?:[\w.-]+:)?[1-9]\d*", str(value)) and not isinstance(value, bool | float):
        return str(value)
    raise mistake(f"{shown(value)} is no number of GPUs", "as in 4, or with their type as in a100:4")


def _place(value: str) -> str:
    with suppress(ClusterError):
        if not isinstance(where(value), Local):
            return value
    raise mistake(
        f"{shown(value)} is no cluster", "slurm, auto, host:port of a Ray cluster, or http://host:8265 of its Jobs API"
    )


def _variable(name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    raise mistake(f"{shown(name)} is no name of an environment variable", "letters, digits and _")


def _plain(value: Any) -> Any:
    return str(value) if is_number(value) else value


def _no_secret(environment: dict[str, str]) -> dict[str, str]:
    for name in environment:
        if _SECRET.search(name.upper()):
            raise mistake(f"{name} looks like a secret", "name it under secrets: its value comes from where you launch")
    return environment


def _command(text: str) -> str:
    try:
        if shlex.split(text):
            return text
        problem = "there is nothing in it"
    except ValueError as error:
        problem = str(error)
    raise mistake(f"{shown(text)} is no command: {problem}", "as in apptainer exec --nv image.sif")


Walltime = Annotated[
    float, BeforeValidator(_walltime), WithJsonSchema({"type": "string", "examples": ["4h", "1-12:00:00"]})
]
Variable = Annotated[str, AfterValidator(_variable)]
Environment = Annotated[dict[Variable, Annotated[str, BeforeValidator(_plain)]], AfterValidator(_no_secret)]
Word = Annotated[str, Field(min_length=1)]


class Profile(Section):
    """What stands under a profile's name. Only those for Slurm can have more than on, env and packages."""

    on: Annotated[str, AfterValidator(_place)] = Field(
        default=SLURM, description="slurm, or what else --on takes: auto, host:port, http://host:8265."
    )
    nodes: int = Field(default=1, ge=1, description="Nodes; --nodes asks for another number.")
    cpus_per_node: int | None = Field(default=None, ge=1, description="CPUs of each; else what the partition gives.")
    gpus_per_node: Annotated[str, BeforeValidator(_gpus)] | None = Field(
        default=None, description="GPUs of each, as in 4, or a100:4 with their type."
    )
    memory: Bytes | None = Field(default=None, description="Memory of each, as in 64GB; else what the partition gives.")
    time: Walltime | None = Field(
        default=None,
        description="The time limit of a job, as in 4h or 1-12:00:00; else the partition's. A sweep that needs longer "
        "stops in order shortly before, is queued again and goes on.",
    )
    partition: Word | None = Field(default=None, description="As for sbatch.")
    account: Word | None = Field(default=None, description="As for sbatch.")
    qos: Word | None = Field(default=None, description="As for sbatch.")
    constraint: Word | None = Field(default=None, description="As for sbatch.")
    modules: list[Word] = Field(default=[], description="Loaded before anything starts.")
    container: Annotated[str, AfterValidator(_command)] | None = Field(
        default=None,
        description="What runs python3 in a container, as in apptainer exec --nv image.sif. The image has Ray and "
        "sweep-orchestrator.",
    )
    env: Environment = Field(default={}, description="Environment variables of the trials. No secrets.")
    packages: list[Word] = Field(
        default=[], description="Packages that Ray installs for the trials, as for pip: torchmetrics==1.4."
    )
    secrets: list[Variable] = Field(
        default=[],
        description="Names of environment variables that must be set where you launch. Their values travel in the "
        "job's environment and are written nowhere.",
    )

    def allocation(self, nodes: int | None) -> Allocation:
        """What is asked of Slurm, with another number of nodes if one is given."""
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
        """What Ray brings to the workers, in its words; of Slurm the job's environment does the rest."""
        shipped: dict[str, Any] = {"pip": self.packages, "env_vars": {} if self.on == SLURM else self.env}
        return {key: value for key, value in shipped.items() if value}


_ANYWHERE = {"on", "env", "packages"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where ``--on`` leads to."""

    name: str  # as the user wrote it
    where: Where
    profile: Profile

    def expected(self, spec: Spec, nodes: int | None = None) -> list[Node]:
        """The nodes that a profile for Slurm tells of; none if it leaves their CPUs to the partition.

        What else it does not speak of is believed to be there.

        Args:
            spec: What is to run there.
            nodes: How many; None: the profile's.
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
    """What ``--on`` means: a profile of that name, else what the word itself says.

    Raises:
        UserError: It means nothing.
        SpecError: The profiles have mistakes: all of them.
    """
    word = on.strip()
    known = profiles()
    handed_down = Profile(packages=shlex.split(os.environ.get(PACKAGES, "")))
    profile = known.get(word, handed_down)
    try:
        found = where(word if profile.on == SLURM else profile.on, known)
    except ClusterError as error:
        raise UserError(str(error)) from error
    return Site(name=word, where=found, profile=profile)


def profiles_file() -> Path:
    """Where the profiles stand, whether there are any or not."""
    named = os.environ.get(PROFILES)
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "sweep" / "profiles.yaml"


def profiles() -> Mapping[str, Profile]:
    """The site profiles by name; none without a file.

    Raises:
        SpecError: All mistakes in it, with their lines.
        UserError: SWEEP_PROFILES names a file that is not there.
    """
    file = profiles_file()
    if not file.exists():
        if os.environ.get(PROFILES):
            raise UserError(f"{PROFILES} names {file}, which does not exist")
        return {}
    document = from_yaml(text_of(file), str(file), example="mycluster: {partition: gpu}")
    found = {}
    for name, given in document.data.items():
        if name in (LOCAL, AUTO):
            document.add((name,), f"{name} has a meaning of its own", "another name")
        elif not isinstance(given, dict):
            document.add((name,), f"{shown(given)} is no profile", "keys and values, as in {partition: gpu}")
        else:
            try:
                found[name] = Profile.model_validate(given)
            except ValidationError as error:
                note(document, error, within=(name,), keys=list(Profile.model_fields))
    for name, profile in found.items():
        if profile.on != SLURM:
            for key in sorted(profile.model_fields_set - _ANYWHERE):
                document.add((name, key), f"{key} is for Slurm, but this is on {profile.on}", "on, env, packages")
    document.raise_mistakes()
    return found
