"""The spec as values, one model per section. docs/reference/spec.md and the JSON Schema are generated from it."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from orchestrator.formatting import shown
from orchestrator.space.choices import Choice
from orchestrator.space.distribution import Distribution
from orchestrator.space.distributions import AnyDistribution
from orchestrator.space.names import parameter_name
from orchestrator.space.space import Space
from orchestrator.space.values import Value, canonical_json, kind_of, mistake
from orchestrator.spec.keep_policy import KeepPolicy, KeepText
from orchestrator.spec.quantities import Amounts, Bytes, Gpus, Seconds
from orchestrator.suggestions import did_you_mean
from trainables.command import output
from trainables.command.output import format_of
from trainables.command.program import Program

ParameterName = Annotated[str, AfterValidator(parameter_name)]
Values = dict[ParameterName, Value]
Configs = Annotated[
    Annotated[list[Values], Tag("list")] | Annotated[str, Field(min_length=1), Tag("file")],
    Discriminator(lambda given: "file" if isinstance(given, str) else "list"),
]


def _command(given: str | list[str]) -> str | list[str]:
    try:
        arguments = shlex.split(given) if isinstance(given, str) else given
    except ValueError as error:
        raise mistake(f"{shown(given)} cannot be split into arguments: {error}", "close each quote") from None
    if not arguments or not arguments[0]:
        raise mistake("the command is empty", "as in command: python train.py --lr {lr}")
    if any("\0" in argument for argument in arguments):
        raise mistake(f"{shown(given)} contains a null character, which no argument can", "")
    return given


def _env_name(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise mistake(f"{shown(name)} cannot name an environment variable", "as in WANDB_MODE")
    return name


def _env_value(value: Any) -> str:
    """Text; a number, true or false as YAML writes it."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str) or "\0" in value:
        raise mistake(f"{shown(value)} cannot be the value of an environment variable", "text or a number")
    return value


Command = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")],
    Discriminator(lambda given: "list" if isinstance(given, list) else "text"),
    AfterValidator(_command),
]


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise mistake(f"{shown(text)} is not a regular expression: {error}") from None
    if not groups:
        raise mistake(f"{shown(text)} has no named group", r"as in loss (?P<loss>\S+)")
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
EnvName = Annotated[str, AfterValidator(_env_name)]
EnvValue = Annotated[str, BeforeValidator(_env_value)]


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
    grace_period: int | None = Field(
        default=None, ge=1, description="The step of the first rung; no trial is stopped earlier."
    )
    reduction_factor: int | None = Field(
        default=None,
        ge=2,
        description="The factor between the steps of two rungs. Default: 3; 2 if search and scheduler are auto.",
    )
    max: int | None = Field(
        default=None,
        ge=1,
        description="The last step of a full training; by default the trainable's own.",
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
    cpu: float = Field(default=1, ge=0, description="CPUs per trial.")
    gpu: Gpus = Field(
        default="auto",
        description="GPUs per trial: auto (one if there are any), packed (trials share a GPU as far as its memory "
        "allows), a whole number, or a fraction below 1.",
    )
    memory: Bytes | None = Field(default=None, description="Memory per trial, in bytes or as 4GB.")
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


class Output(Section):
    """Where the metrics of a program are: by default in JSON lines that it prints, as in
    {"step": 1, "val": {"loss": 0.5}}, which reports val/loss at step 1."""

    path: str | None = Field(
        default=None,
        min_length=1,
        description="A file that the program writes, in place of what it prints, as in {trial_dir}/metrics.csv; with"
        " `*`, the newest that fits. Of TensorBoard's event files, their directory.",
    )
    format: Literal["jsonl", "csv", "tensorboard"] | None = Field(
        default=None, description="The format of the file. Default: as its name ends."
    )
    pattern: Pattern | None = Field(
        default=None,
        description="A regular expression for each line, with a named group for each metric: `loss (?P<loss>\\S+)`. Or"
        " with the groups name and value, which each match has: `(?P<name>\\w+)=(?P<value>\\S+)`.",
    )
    step: str | None = Field(
        default=None,
        min_length=1,
        description="The number that counts the steps. Default: step, else epoch, iteration or global_step.",
    )


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
        text=command if isinstance(command, str) else " ".join(map(_quoted, command)),
        arguments=_arguments(command),
        objective=spec.objective.metric,
        env=spec.env,
        output=output.Output(
            path=metrics.path or "",
            format=metrics.format or format_of(metrics.path or "") or "jsonl",
            pattern=metrics.pattern or "",
            step=metrics.step or "",
        ),
        resume=_arguments(spec.resume or "{checkpoint_dir}"),
        template=spec.template or "",
        parameters=(*spec.distributions(), *spec.fixed, *spec.derived),
        grace_s=spec.grace_s,
    )


def _arguments(command: str | list[str]) -> tuple[str, ...]:
    return tuple(shlex.split(command) if isinstance(command, str) else command)


def _quoted(argument: str) -> str:
    """An argument as people write it: its placeholders need no quotes."""
    return argument if re.fullmatch(r"[\w@%+=:,./{}-]+", argument) else shlex.quote(argument)


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
