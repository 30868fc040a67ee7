"""The spec as values: one model a section. The reference in the docs and the JSON Schema come from here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from orchestrator.space.choices import Choice
from orchestrator.space.distribution import Distribution
from orchestrator.space.distributions import AnyDistribution
from orchestrator.space.space import Space
from orchestrator.space.values import Value, canonical_json, kind_of, mistake, shown
from orchestrator.spec.quantities import Amounts, Bytes, Gpus, Seconds


def _parameter_name(name: str) -> str:
    if not name.isidentifier():
        raise mistake(f"{shown(name)} is no name for a parameter", "letters, digits and _, as in weight_decay")
    return name


ParameterName = Annotated[str, AfterValidator(_parameter_name)]
Values = dict[ParameterName, Value]
Configs = Annotated[
    Annotated[list[Values], Tag("list")] | Annotated[str, Field(min_length=1), Tag("file")],
    Discriminator(lambda given: "file" if isinstance(given, str) else "list"),
]


class Section(BaseModel):
    """What all sections share: frozen, no unknown keys, no guessing of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Objective(Section):
    """What makes one trial better than another."""

    metric: str = Field(min_length=1, description="The reported metric to optimise.")
    mode: Literal["min", "max"] = Field(default="min", description="Whether less or more of it is better.")
    at: Literal["best", "last"] = Field(
        default="best", description="Which of a trial's reports is its result: the best one, or the last."
    )
    diverged_above: float | None = Field(
        default=None,
        description="Worse than this, a trial has diverged: above it for min, below its negative for max.",
    )

    def diverges(self, value: float) -> bool:
        """Whether a trial that measures this has diverged: it is not finite, or beyond the bound."""
        loss = value if self.mode == "min" else -value
        return not math.isfinite(value) or (self.diverged_above is not None and loss > self.diverged_above)


class Search(Section):
    """How the next configuration is chosen."""

    method: Literal["grid", "random", "sobol", "tpe", "list"] = Field(
        default="tpe",
        description="grid: every cell once. random, sobol: spread over the space. tpe: learn from results. "
        "list: the configurations given in configs.",
    )
    seed: int = Field(default=0, ge=0, le=2**53, description="The same spec and seed give the same configurations.")
    start: list[Values] = Field(default=[], description="Configurations to try first, in this order.")
    configs: Configs | None = Field(
        default=None,
        description="For method list: the configurations, or the path of a CSV file with one a row.",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        description="For methods list and grid: how often each configuration is tried, each time with another seed.",
    )


class Scheduler(Section):
    """Whether weak trials are stopped early."""

    method: Literal["asha", "none"] = Field(
        default="asha",
        description="asha: stop a trial at a rung unless it is among the best 1/reduction_factor there.",
    )
    grace_period: int | None = Field(
        default=None, ge=1, description="The first rung: no trial is stopped before this step."
    )
    reduction_factor: int = Field(default=3, ge=2, description="Each rung is this many times the one before.")
    max: int | None = Field(
        default=None,
        ge=1,
        description="The last step of a full training; if left out, what the trainable says.",
    )
    brackets: int = Field(default=1, ge=1, description="Ladders of rungs; each starts a rung later than the last.")


class Budget(Section):
    """When the sweep ends. Whatever comes first."""

    trials: int | None = Field(default=None, ge=1, description="Trials in total.")
    hours: float | None = Field(default=None, gt=0, description="Hours of wall-clock time.")
    gpu_hours: float | None = Field(default=None, gt=0, description="Hours summed over GPUs.")
    max_failures: int | None = Field(default=None, ge=0, description="Failed trials after which the sweep gives up.")


class Resources(Section):
    """What one trial occupies."""

    cpu: float = Field(default=1, ge=0, description="CPUs of one trial.")
    gpu: Gpus = Field(
        default="auto",
        description="GPUs of one trial: auto (one if there are any), packed (as many trials share one as its memory "
        "allows), a whole number, or a fraction below 1.",
    )
    memory: Bytes | None = Field(default=None, description="Memory of one trial, in bytes or as 4GB.")
    custom: Amounts = Field(
        default={}, description="Resources that the cluster's nodes name themselves, as in {tpu_slice: 1}."
    )
    accelerator: str | None = Field(
        default=None, min_length=1, description="The type of GPU that a trial needs, as Ray names it: A100, H100, V100."
    )
    placement: Literal["spread", "pack"] = Field(
        default="spread", description="spread: trials go where most is free. pack: one node is filled after the other."
    )
    max_gpus: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="GPUs that all trials together occupy at most: a share of a cluster that others use."
    )
    concurrency: int | None = Field(
        default=None, ge=1, description="Trials at the same time at most; else as many as fit."
    )


class TrialPolicy(Section):
    """How one trial is run and what is kept of it."""

    timeout: Seconds | None = Field(
        default=None,
        description="A trial that does not report for so long has failed: 90s, 10m, 1h30m, or seconds.",
    )
    retries: int = Field(
        default=0, ge=0, description="How often a failed trial is tried again; lost nodes do not count."
    )
    keep: Literal["best", "last", "both", "none"] = Field(
        default="best", description="Which checkpoints of a completed trial stay."
    )
    save_every: Seconds = Field(
        default=10.0,
        description="How often a running trial's checkpoint is written, at most: a crash loses so much training.",
    )
    isolation: Literal["reuse", "process"] = Field(
        default="reuse",
        description="reuse: one process runs trial after trial. process: each trial has its own.",
    )


class Spec(Section):
    """A sweep as the user wrote it. Only trainable, space and objective are required."""

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="The sweep's name, and its directory's; default: the spec's file name without `.yaml`.",
    )
    parent: str | None = Field(
        default=None,
        min_length=1,
        description="The sweep that this one comes from: `sweep next` and `sweep confirm` write it, `sweep ls --tree`"
        " shows it.",
    )
    trainable: str = Field(
        min_length=1,
        description="What is trained: the name of a built-in, module:attribute, or file.py:attribute.",
    )
    fixed: Values = Field(default={}, description="Hyperparameters that are the same for every trial.")
    space: dict[ParameterName, AnyDistribution] = Field(
        default={},
        description="Hyperparameters that are searched, and how. Only method list can do without.",
    )
    constraints: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="Quoted conditions that every configuration meets."
    )
    objective: Objective
    search: Search = Search()
    scheduler: Scheduler | None = Field(
        default=None, description="If left out: asha where the length of a training is known, else none."
    )
    budget: Budget = Budget()
    resources: Resources = Resources()
    trial: TrialPolicy = TrialPolicy()

    def distributions(self) -> Mapping[str, Distribution]:
        """The searched parameters. Configurations listed without a space span one: the values in the list."""
        return self.space or spanned(self.search.configs or [])

    def parameter_space(self) -> Space:
        """The search space, its expressions parsed; keep it rather than asking again.

        Raises:
            ExpressionError, CircleError: Only if it did not come from ``read_spec`` or ``parse_spec``.
        """
        return Space(self.distributions(), self.constraints, self.fixed)

    def to_plain(self) -> dict[str, Any]:
        """The spec as plain JSON values, what is not set left out; ``parse_spec`` reads it back."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def spanned(configs: str | list[dict[str, Any]]) -> dict[str, Choice]:
    """A choice a name, over the values it has in the configurations; none for a file not yet read."""
    columns: dict[str, list[Any]] = {}
    for config in configs if isinstance(configs, list) else []:
        for name, value in config.items():
            columns.setdefault(name, []).append(value)
    return {name: Choice(choice=_distinct(values)) for name, values in columns.items()}


def _distinct(values: list[Any]) -> tuple[Any, ...]:
    same_type = map(float, values) if kind_of(values) == "float" else values
    return tuple({canonical_json(value): value for value in same_type}.values())
