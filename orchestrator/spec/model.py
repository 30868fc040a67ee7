"""The spec as a value. docs/reference/spec.md and the JSON Schema are generated from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from orchestrator.space.choices import Choice
from orchestrator.space.distribution import Distribution
from orchestrator.space.distributions import AnyDistribution
from orchestrator.space.space import Space
from orchestrator.space.values import canonical_json, kind_of
from orchestrator.spec.command import Command, EnvName, EnvValue, Output, arguments, quoted
from orchestrator.spec.keep_policy import KeepPolicy
from orchestrator.spec.sections import (
    Budget,
    Objective,
    ParameterName,
    Resources,
    Scheduler,
    Search,
    Section,
    TrialPolicy,
    Unit,
    Values,
)
from trainables.command import output
from trainables.command.output import format_of
from trainables.command.program import Program


class Spec(Section):
    """A sweep. Only trainable or command, space and objective are required."""

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="The sweep's name, and its directory's; default: the spec's file name without `.yaml`.",
    )
    parent: str | None = Field(
        default=None,
        min_length=1,
        description="The sweep from which this one was derived; set by `sweep next` and `sweep confirm`, shown by"
        " `sweep ls --tree`.",
    )
    extends: str | None = Field(
        default=None,
        min_length=1,
        description="Another spec, relative to this one: what this one does not say is taken from it. What is recorded"
        " is the whole.",
    )
    trainable: str | None = Field(
        default=None,
        min_length=1,
        description="What to train: the name of a built-in, module:attribute, or file.py:attribute.",
    )
    command: Command | None = Field(
        default=None,
        description="In place of trainable: the command line of a training program, as text or as a list of arguments,"
        " with {lr} for each hyperparameter lr. No shell reads it.",
    )
    env: dict[EnvName, EnvValue] = Field(
        default={}, description="With command: environment variables of the program, with placeholders as there."
    )
    resume: Command | None = Field(
        default=None,
        description="With command: what {resume} stands for if a trial continues from a checkpoint, as in"
        " --resume {checkpoint_dir}/last.pt. Otherwise {resume} is left out. Default: {checkpoint_dir}.",
    )
    template: str | None = Field(
        default=None,
        min_length=1,
        description="With command: a file of yours in which {lr} is replaced by the value of lr; the filled copy is"
        " {config.yaml} if it ends in .yaml. Without it, {config.json}, {config.yaml} and {config.toml} are the whole"
        " configuration.",
    )
    output: Output | None = Field(
        default=None, description="With command: where the metrics of the program are. Default: in JSON lines."
    )
    fixed: Values = Field(default={}, description="Hyperparameters with the same value in every trial.")
    space: dict[ParameterName, AnyDistribution] = Field(
        default={},
        description="The searched hyperparameters and their distributions. Optional only with method list, "
        "and for an objective of Optuna, which names them as it runs.",
    )
    derived: dict[ParameterName, Annotated[str, Field(min_length=1)]] = Field(
        default={},
        description="Values that are computed from the others and given to the trainable, as quoted expressions: "
        'warmup: "0.1 * epochs".',
    )
    constraints: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="Quoted conditions that every configuration must meet."
    )
    objective: Objective
    search: Search = Search()
    scheduler: Scheduler | None = Field(
        default=None, description="By default auto: asha if the length of a training is known, else none."
    )
    budget: Budget = Budget()
    resources: Resources = Resources()
    trial: TrialPolicy = TrialPolicy()

    @property
    def program(self) -> Program | None:
        """The program that the command runs; None if there is no command."""
        return None if self.command is None else program_of(self)

    @property
    def trained(self) -> str | Program:
        """What is trained: the reference of a trainable, or a program. Its text is what people call it."""
        return self.program or self.trainable or ""

    @property
    def grace_s(self) -> float:
        """Seconds that what is trained may take to end when it is told to."""
        return (self.trial.grace or 10.0) if self.command is not None else 0.0

    @property
    def rung_unit(self) -> Unit:
        """What the rungs of the scheduler count."""
        return "seconds" if self.scheduler is not None and self.scheduler.in_seconds else "steps"

    @property
    def keep(self) -> KeepPolicy:
        """Which checkpoints are kept: as ``trial.keep`` says, or those of the results of completed trials."""
        return KeepPolicy.parsed(self.trial.keep, self.objective.at)

    def distributions(self) -> Mapping[str, Distribution]:
        """The searched parameters. Without a space, the listed configurations define one from their values."""
        return self.space or spanned(self.search.configs or [])

    def parameter_space(self) -> Space:
        """The search space with its expressions parsed. Each call parses again, so keep the result.

        Raises:
            ExpressionError, CycleError: Never for a spec from ``read_spec`` or ``parse_spec``.
        """
        return Space(self.distributions(), self.constraints, self.fixed, self.derived)

    def to_plain(self) -> dict[str, Any]:
        """The spec as plain JSON values without nulls; ``parse_spec`` reads the same spec back."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def program_of(spec: Spec) -> Program:
    """The program of a spec with a command."""
    command, metrics = spec.command, spec.output or Output()
    assert command is not None
    return Program(
        text=command if isinstance(command, str) else " ".join(map(quoted, command)),
        arguments=arguments(command),
        objective=spec.objective.metric,
        env=spec.env,
        output=output.Output(
            path=metrics.path or "",
            format=metrics.format or format_of(metrics.path or "") or "jsonl",
            pattern=metrics.pattern or "",
            step=metrics.step or "",
        ),
        resume=arguments(spec.resume or "{checkpoint_dir}"),
        template=spec.template or "",
        parameters=(*spec.distributions(), *spec.fixed, *spec.derived),
        grace_s=spec.grace_s,
    )


def spanned(configs: str | list[dict[str, Any]]) -> dict[str, Choice]:
    """A choice for each name over its values in the configurations; empty for a CSV file that is not read yet."""
    columns: dict[str, list[Any]] = {}
    for config in configs if isinstance(configs, list) else []:
        for name, value in config.items():
            columns.setdefault(name, []).append(value)
    return {name: Choice(choice=_distinct(values)) for name, values in columns.items()}


def _distinct(values: list[Any]) -> tuple[Any, ...]:
    same_type = map(float, values) if kind_of(values) == "float" else values
    return tuple({canonical_json(value): value for value in same_type}.values())


def spec_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec file, with which editors complete and check specs."""
    schema = Spec.model_json_schema(by_alias=True)
    space = schema["properties"]["space"]
    inner = {"anyOf": [*space["additionalProperties"]["oneOf"], {"$ref": "#/$defs/Group"}]}
    schema["properties"]["space"] = space | {"additionalProperties": inner}
    description = "Parameters in a group: `optim: {lr: ...}` is the same as `optim.lr: ...`."
    schema["$defs"]["Group"] = {
        "title": "Group",
        "description": description,
        "type": "object",
        "properties": {},
        "additionalProperties": inner,
    }
    what = {"oneOf": [{"required": ["trainable"]}, {"required": ["command"]}]}
    whole = {"anyOf": [{"required": schema.pop("required"), **what}, {"required": ["extends"]}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, **whole, "title": "Sweep"}
