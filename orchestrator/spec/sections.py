"""The sections of a spec as values: objective, search, scheduler, budget, resources, trial."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from orchestrator.formatting import shown
from orchestrator.space.names import parameter_name
from orchestrator.space.values import Value, mistake
from orchestrator.spec.keep_policy import KeepText
from orchestrator.spec.quantities import (
    GPU_WORDS,
    Amounts,
    Cpus,
    Gpus,
    Memory,
    Seconds,
    StepsOrSeconds,
    whole_seconds,
)  # fmt: skip
from orchestrator.suggestions import did_you_mean

ParameterName = Annotated[str, AfterValidator(parameter_name)]
Values = dict[ParameterName, Value]
Configs = Annotated[
    Annotated[list[Values], Tag("list")] | Annotated[str, Field(min_length=1), Tag("file")],
    Discriminator(lambda given: "file" if isinstance(given, str) else "list"),
]


class Section(BaseModel):
    """The settings of all sections: frozen, no unknown keys, no type coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


METHODS = ("auto", "grid", "random", "sobol", "list", "tpe", "optuna")

DO_NOT_LEARN = ("grid", "random", "sobol", "list")
"""Methods that propose the same whatever the trials find."""

GROW = ("auto", "random", "tpe", "optuna")
"""Methods that can search a space whose parameters are found as trials run."""


def _search_method(name: str) -> str:
    if name not in METHODS and not all(name.partition(":")):
        raise mistake(
            f"unknown value {shown(name)}", did_you_mean(name, METHODS, kind="file.py:Class, module:Class, or one of")
        )
    return name


SearchMethod = Annotated[
    str,
    AfterValidator(_search_method),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(METHODS)},
                {"type": "string", "pattern": ".:.", "examples": ["file.py:Class", "module:Class"]},
            ]
        }
    ),
]
"""A method of ours, or a class of the user's."""


class Objective(Section):
    """How trials are compared."""

    metric: str = Field(min_length=1, description="The reported metric to optimise.")
    mode: Literal["min", "max"] = Field(default="min", description="Whether lower or higher values are better.")
    at: Literal["best", "last"] = Field(
        default="best", description="Which report is a trial's result: the best or the last."
    )
    diverged_above: float | None = Field(
        default=None,
        description="A trial with a worse metric has diverged: above this for min, below its negative for max.",
    )

    def diverges(self, value: float) -> bool:
        """Whether a trial with this value has diverged: the value is not finite, or is beyond ``diverged_above``."""
        return not math.isfinite(value) or (self.diverged_above is not None and self.loss(value) > self.diverged_above)

    def loss(self, value: float) -> float:
        """A value of the metric as a loss, of which less is better."""
        return value if self.mode == "min" else -value

    def reaches(self, value: float, target: float | None) -> bool:
        """Whether a value is as good as the target; False without a target."""
        if target is None:
            return False
        return value <= target if self.mode == "min" else value >= target


class Search(Section):
    """How configurations are chosen."""

    method: SearchMethod = Field(
        default="auto",
        description="auto: learn from results by several methods, and never stop exploring. grid: every combination "
        "once. random, sobol: spread over the space. list: the configurations in configs. tpe: Optuna's. optuna: "
        "another sampler of Optuna. Or a class of your own.",
    )
    seed: int = Field(default=0, ge=0, le=2**53, description="The same spec and seed give the same configurations.")
    start: list[Values] = Field(default=[], description="Configurations to try first, in this order.")
    configs: Configs | None = Field(
        default=None,
        description="For method list: the configurations, or the path of a CSV file with one configuration per row.",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        description="For methods list and grid: how often each configuration is tried, with a new seed each time.",
    )
    sampler: str | None = Field(
        default=None, min_length=1, description="For method optuna: a class of optuna.samplers, as in GPSampler."
    )
    options: Values = Field(
        default={}, description="Keyword arguments for the sampler of method optuna, or for a class of your own."
    )

    earlier: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        alias="from",
        description="Earlier sweeps to learn from, as far as they fit: names, or directories relative to the spec.",
    )

    @property
    def is_own(self) -> bool:
        """Whether the method is a class of the user's."""
        return self.method not in METHODS


Unit = Literal["steps", "seconds"]
"""What the rungs of a scheduler count."""


class Scheduler(Section):
    """Early stopping of weak trials."""

    method: Literal["auto", "asha", "hyperband", "pasha", "median", "top_after", "none"] = Field(
        default="auto",
        description="auto: asha if the length of a training is known, else none. asha: of the trials at a rung, the "
        "best 1/reduction_factor continue. hyperband: asha in several brackets, of which some judge late. pasha: asha "
        "that trains longer only while that changes the ranking. median: stop trials that are worse than the median. "
        "top_after: all train up to grace_period, then only the top go on.",
    )
    variant: Literal["auto", "promote", "stop"] | None = Field(
        default=None,
        description="For asha and hyperband. promote: a trial pauses at a rung, and continues from its checkpoint once "
        "it is among the best. stop: a trial continues or ends. auto, the default: promote if the trainable saves, "
        "else stop.",
    )
    unit: Unit | None = Field(
        default=None,
        description="What rungs count. steps, the default: the steps that trials report. seconds: seconds of training,"
        " over all attempts of a trial, so that fast and slow configurations are compared after the same time.",
    )
    grace_period: StepsOrSeconds | None = Field(
        default=None,
        ge=1,
        description="The first rung; no trial is stopped earlier. A step; with unit seconds, seconds or 60s, 10m.",
    )
    reduction_factor: int | None = Field(
        default=None,
        ge=2,
        description="The factor between one rung and the next. Default: 3; 2 if search and scheduler are auto.",
    )
    max: StepsOrSeconds | None = Field(
        default=None,
        ge=1,
        description="The last step of a full training; by default the trainable's own. With unit seconds: how long a"
        " full training is, 3600 or 1h, at which a trial is completed; by default trial.max_time.",
    )
    brackets: int | None = Field(
        default=None, ge=1, description="Number of brackets, 1 by default; each starts one rung after the last."
    )
    top: int | None = Field(
        default=None, ge=1, description="For top_after: how many trials train to their end; 3 by default."
    )
    audit: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="The share of the trials that would be cut which runs on to the end, so that `sweep show` can say "
        "how often a cut is wrong: 0.05, for example.",
    )

    @field_validator("grace_period", "max", mode="before")
    @classmethod
    def _duration(cls, value: Any, info: ValidationInfo) -> Any:
        """With unit seconds, also a text: 10m."""
        if not isinstance(value, str) or "unit" not in info.data:
            return value
        if info.data["unit"] == "seconds":
            return whole_seconds(value)
        raise mistake(f"{shown(value)} is not a step", "a whole number; or a duration, with scheduler.unit: seconds")

    @property
    def in_seconds(self) -> bool:
        """Whether rungs are at seconds of training, not at steps."""
        return self.unit == "seconds"


class Budget(Section):
    """Limits of the sweep; the first one reached ends it."""

    trials: int | None = Field(
        default=None,
        ge=1,
        description="Number of trials. Default: 20, or all of a grid or list; no limit if hours, gpu_hours, patience or"
        " target is set.",
    )
    hours: float | None = Field(default=None, gt=0, description="Wall-clock hours.")
    gpu_hours: float | None = Field(default=None, gt=0, description="GPU hours, summed over all trials.")
    target: float | None = Field(
        default=None,
        description="The sweep ends once the objective is as good: at or below this for min, at or above for max.",
    )
    patience: int | None = Field(
        default=None, ge=1, description="The sweep ends when this many trials in a row brought no gain over the best."
    )
    min_gain: float | None = Field(
        default=None,
        ge=0,
        description="With patience: the least improvement that is a gain, in the objective's units. Default: any.",
    )
    max_failures: int | None = Field(
        default=None, ge=0, description="Failed trials to tolerate; one more ends the sweep."
    )

    @property
    def open_ended(self) -> bool:
        """Whether no number of trials has to end the sweep, because another limit does."""
        others = (self.hours, self.gpu_hours, self.target, self.patience)
        return self.trials is None and any(each is not None for each in others)


class Resources(Section):
    """The resources of one trial, and how many trials run at once."""

    workers: int = Field(
        default=1,
        ge=1,
        description="Processes per trial, its ranks. Each runs the trainable, with torchrun's environment, and has all"
        " of cpu, gpu, memory and custom for itself.",
    )
    strict: bool = Field(default=False, description="With workers: all ranks of a trial run on one node.")
    cpu: Cpus = Field(
        default=1.0,
        description="CPUs per trial. Like gpu and memory, a number or a quoted formula of the configuration.",
    )
    gpu: Gpus = Field(
        default="auto",
        description="GPUs per trial: auto (one if there are any), packed (trials share a GPU as far as its memory "
        "allows), a whole number, a fraction below 1, or a formula: '2 if width > 1024 else 1'.",
    )
    memory: Memory | None = Field(default=None, description="Memory per trial, in bytes or as 4GB.")
    custom: Amounts = Field(default={}, description="Custom Ray resources per trial, as in {tpu_slice: 1}.")
    accelerator: str | None = Field(
        default=None, min_length=1, description="The GPU type that trials need, by Ray's name: A100, H100, V100."
    )
    placement: Literal["spread", "pack"] = Field(
        default="spread",
        description="spread: put trials on the least busy node. pack: fill node after node.",
    )
    max_gpus: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Upper limit of GPUs for all trials together, on a cluster shared with others."
    )
    concurrency: int | None = Field(
        default=None, ge=1, description="Upper limit of trials running at once; by default as many as fit."
    )

    @property
    def formulas(self) -> dict[str, str]:
        """The amounts that depend on a trial's configuration: formulas by key."""
        given = {"cpu": self.cpu, "gpu": self.gpu, "memory": self.memory}
        return {key: text for key, text in given.items() if isinstance(text, str) and text not in GPU_WORDS}


class TrialPolicy(Section):
    """How trials are run, and which of their checkpoints are kept."""

    timeout: Seconds | None = Field(
        default=None,
        description="A trial that reports nothing for this long has failed: 90s, 10m, 1h30m, or seconds.",
    )
    max_time: Seconds | None = Field(
        default=None,
        description="A trial that has trained for this long, over all its attempts, is completed at its next report of"
        " the objective: 10m, 2h.",
    )
    retries: int = Field(
        default=0, ge=0, description="How often a failed trial is restarted; restarts after a lost node do not count."
    )
    keep: KeepText | None = Field(
        default=None,
        description="Which checkpoints of a completed trial are kept. Default: the one of its result, as objective.at"
        " says. top3: that one, of the best three trials only.",
    )
    save_every: Seconds = Field(
        default=10.0,
        description="Shortest time between two checkpoints of a running trial; a crash loses about this much training.",
    )
    isolation: Literal["fork", "process", "reuse"] = Field(
        default="fork",
        description="fork: each trial gets a process of its own, forked from one that has imported the trainable."
        " process: each gets a new process of Ray's. reuse: a process runs one trial after the other.",
    )
    grace: Seconds | None = Field(
        default=None,
        description="With command: how long a program that is stopped may take to end after SIGTERM, until SIGKILL."
        " Default: 10s.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=2**32,
        description="The seed of every trial. Default: each has one of its own, from search.seed and its number.",
    )
