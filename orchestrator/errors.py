"""The tree of errors a user can meet, each with its code for programs and the exit code of the command line.

SweepError                  sweep-failed        1    the sweep failed, or another expected error
├── UserError               not-possible        2    something the user wrote or asked for cannot be done
│   ├── OptionsError        usage                    options that are missing, malformed, or do not go together
│   ├── SpecError           spec-invalid             mistakes in the spec, all of them at once
│   ├── TrainableError      trainable-invalid        the training function cannot be found or loaded
│   ├── SearchMethodError   search-method            a search method cannot be loaded, or has failed
│   ├── InfeasibleError     does-not-fit             one trial fits on no node
│   ├── ClusterUseError     cluster-unusable         the place for trials is misnamed, unreachable or unfit
│   ├── NoSuchSweepError    sweep-not-found          no sweep, or more than one, has that name
│   ├── NoSuchTrialError    trial-not-found          the sweep has no such trial
│   ├── NotRunningError     not-running              only a running sweep can do that
│   ├── StillRunningError   still-running            only a sweep that has ended can do that
│   ├── CodeChangedError    code-changed             the trainable's code or the data changed since the launch
│   └── OverwriteError      would-overwrite          the file exists, and nothing is overwritten
├── NoResultError           no-result           1    no trial has a result
├── TrialsFailedError       trials-failed       1    more trials failed than the budget allows
├── RecordsError            records-unusable    1    the records cannot be read or written
│   └── DamagedError        records-damaged          what they hold is not what a sweep writes
├── InterruptedSweepError   interrupted         130  stopped by SIGINT; recorded results are kept
└── StoppedSweepError       stopped             143  stopped by SIGTERM or SIGHUP before a trial had begun

A few more are declared beside the only code that raises them: lease-held, lease-lost, expression-failed and
evaluation-failed. Codes are stable; docs/agents.md lists all of them, and a test compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orchestrator.suggestions import Allowed


class SweepError(Exception):
    """The root of all expected errors. The text is a sentence for the user.

    Attributes:
        code: The kind of error, for programs.
        exit_code: The exit code of the command line.
        value: The user's value, if the error is about one.
        allowed: What would have been valid.
    """

    code: ClassVar[str] = "sweep-failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, value: Any = None, allowed: Allowed = "") -> None:
        super().__init__(message)
        self.value = value
        self.allowed = allowed


class UserError(SweepError):
    """Something the user wrote or asked for cannot be done."""

    code = "not-possible"
    exit_code = 2


class OptionsError(UserError):
    """Options that are missing, malformed, or do not go together."""

    code = "usage"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is written: in a file, in an option, or in a file and changed by an option."""

    file: str = ""  # "spec" for a Python mapping, such as the spec in a sweep's records
    line: int | None = None  # from 1
    column: int | None = None  # from 1
    option: str = ""  # "--set", "--config"
    argument: str = ""  # which part of the option's value, as in "space.lr"
    order: float = field(default=math.inf, compare=False)  # by which mistakes are sorted, if not by line

    def __post_init__(self) -> None:
        if self.line is not None and math.isinf(self.order):
            object.__setattr__(self, "order", self.line)

    def __str__(self) -> str:
        """``churn.yaml:12``, ``--set space.lr``, or ``churn.yaml:12 with --set space.lr``."""
        at = "" if self.line is None else f":{self.line}"
        option = f"{self.option} {self.argument}".strip()
        parts = [f"{self.file}{at}", option] if self.file else [f"{option}{at}"]
        return " with ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake in a spec: where it stands, what was found there, and what is allowed."""

    place: Place
    key: str = ""  # dotted path in the spec, e.g. "space.lr"; "" for the whole
    problem: str  # what is wrong, the value included
    allowed: Allowed = ""  # what would be right, the nearest valid name included
    value: Any = field(default=None, compare=False)  # what stands there, if that is known

    def __str__(self) -> str:
        place = f"{self.place}: {self.key}" if self.key else str(self.place)
        return f"{place}: {self.problem}" + (f" ({self.allowed})" if self.allowed else "")


class SpecError(UserError):
    """All mistakes of a spec at once, in the order in which they stand in the file."""

    code = "spec-invalid"

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Mistake, ...]]]:
        """Errors cross process boundaries; the text alone would not do."""
        return type(self), (self.mistakes,)


class TrainableError(UserError):
    """The trainable cannot be found, imported or understood.

    Attributes:
        problem: The sentence without what would have been valid.
    """

    code = "trainable-invalid"

    def __init__(self, problem: str = "", *, value: Any = None, allowed: Allowed = "") -> None:
        super().__init__(f"{problem} ({allowed})" if allowed else problem, value=value, allowed=allowed)
        self.problem = problem


class SearchMethodError(UserError):
    """A sampler of Optuna or a search method of the user cannot be loaded, or has failed.

    Attributes:
        problem: The sentence without what would have been valid.
    """

    code = "search-method"

    def __init__(self, problem: str = "", *, value: Any = None, allowed: Allowed = "") -> None:
        super().__init__(f"{problem} ({allowed})" if allowed else problem, value=value, allowed=allowed)
        self.problem = problem


class InfeasibleError(UserError):
    """One trial asks for more than any node has."""

    code = "does-not-fit"


class ClusterUseError(UserError):
    """The place where trials are to run is misnamed, cannot be reached, or is not fit for the sweep."""

    code = "cluster-unusable"


class NoSuchSweepError(UserError):
    """No sweep has that name, or a prefix fits several."""

    code = "sweep-not-found"


class NoSuchTrialError(UserError):
    """The sweep has no trial of that number, or it is in no state for what was asked."""

    code = "trial-not-found"


class NotRunningError(UserError):
    """Only a running sweep can do what was asked."""

    code = "not-running"


class StillRunningError(UserError):
    """Only a sweep that has ended can do what was asked."""

    code = "still-running"


class CodeChangedError(UserError):
    """The trainable's code or the data changed since the launch."""

    code = "code-changed"


class OverwriteError(UserError):
    """The file or directory to be written exists, and nothing is overwritten."""

    code = "would-overwrite"


class NoResultError(SweepError):
    """No trial has a result."""

    code = "no-result"


class TrialsFailedError(SweepError):
    """More trials failed than the budget allows."""

    code = "trials-failed"


class RecordsError(SweepError):
    """The records cannot be read or written."""

    code = "records-unusable"


class DamagedError(RecordsError):
    """What a record holds is not what a sweep writes. The text begins with the file."""

    code = "records-damaged"


class StoppedSweepError(SweepError):
    """SIGTERM or SIGHUP stopped the sweep before a trial had begun."""

    code = "stopped"
    exit_code = 143


class InterruptedSweepError(SweepError):
    """SIGINT stopped the sweep. Everything up to then is recorded."""

    code = "interrupted"
    exit_code = 130
