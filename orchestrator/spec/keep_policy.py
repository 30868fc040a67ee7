"""Which checkpoints a sweep keeps, as ``trial.keep`` says it: of each completed trial, or of the best ones only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from orchestrator.formatting import shown
from orchestrator.space.values import mistake
from trainables.checkpoints.files import Keep

_OF_A_TRIAL: tuple[Keep, ...] = ("best", "last", "both", "none")
_TOP = re.compile(r"top([1-9][0-9]{0,6})", re.ASCII)

ALLOWED = f"one of: {', '.join(_OF_A_TRIAL)}, or top3 for the best 3 trials"


@dataclass(frozen=True, kw_only=True)
class KeepPolicy:
    """Which checkpoints a sweep keeps of trials that have ended.

    Attributes:
        checkpoints: Which ones of a trial.
        top: How many trials keep them, the best that completed or were stopped. None: all that completed.
    """

    checkpoints: Keep
    top: int | None = None

    @classmethod
    def parsed(cls, keep: str | None, at: Literal["best", "last"]) -> KeepPolicy:
        """The policy of a spec.

        Args:
            keep: A checked trial.keep.
            at: Which report is a trial's result, as objective.at; by default its checkpoint is kept.
        """
        if keep is not None and (match := _TOP.fullmatch(keep)):
            return cls(checkpoints=at, top=int(match[1]))
        return cls(checkpoints=next((each for each in _OF_A_TRIAL if each == keep), at))

    @property
    def ranked(self) -> int:
        """How many of the best trials keep their checkpoints because they are the best, also if they were stopped."""
        return self.top or 1


def is_valid(keep: str) -> bool:
    """Whether a text can be a trial.keep."""
    return keep in _OF_A_TRIAL or _TOP.fullmatch(keep) is not None


def checked(value: Any) -> str:
    """A valid trial.keep."""
    if not isinstance(value, str) or not is_valid(value):
        raise mistake(f"unknown value {shown(value)}", ALLOWED)
    return value


KeepText = Annotated[
    str,
    BeforeValidator(checked),
    WithJsonSchema({"anyOf": [{"enum": list(_OF_A_TRIAL)}, {"type": "string", "pattern": "^top[1-9][0-9]*$"}]}),
]
