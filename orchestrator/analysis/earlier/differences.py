"""How an earlier sweep differs from a new one, apart from the space: objective, trainable, data, fixed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.formatting import yaml
from orchestrator.records.provenance import SweepInfo
from orchestrator.space.values import canonical_json
from orchestrator.spec.fingerprint import code_fingerprints
from orchestrator.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Differences:
    """An earlier sweep beside a new one.

    Attributes:
        before: What the earlier sweep has recorded of itself.
        source: The new sweep.
        now: The fingerprints of the new sweep's code and data.
    """

    before: SweepInfo
    source: Source
    now: Mapping[str, str]

    @cached_property
    def fatal(self) -> str:
        """Why nothing can be learnt from the earlier sweep; "" if something can."""
        old, new = self.before.spec["objective"], self.source.spec.objective
        if (old["metric"], old["mode"]) != (new.metric, new.mode):
            return f"its objective is {old['metric']} ({old['mode']}), not {new.metric} ({new.mode})"
        if not self._same_trainable:
            return f"it trained {self.before.trainable}, not {self.source.spec.trained}"
        return ""

    @cached_property
    def mild(self) -> list[str]:
        """Why values of the earlier sweep cannot be compared with new ones, although its best may be good here, too."""
        reasons = []
        if self._code_before and self._code_now and self._code_before != self._code_now:
            reasons.append("the code of the trainable has changed")
        old, new = self.fixed_before, self.fixed_now
        for name in {**old, **new}:
            if name in old and name in new:
                reasons.append(self._difference(name, old[name], new[name]))
        before, now = self.before.spec.get("derived", {}), self.source.spec.derived
        for name in {**before, **now}:
            if before.get(name) != now.get(name):
                reasons.append(f"{name} was {_computed(before.get(name))} and is {_computed(now.get(name))}")
        return [reason for reason in reasons if reason]

    @cached_property
    def fixed_before(self) -> Mapping[str, Any]:
        """Values that all trials of the earlier sweep had in common, the trainable's defaults included."""
        return {**self._defaults, **self.before.spec.get("fixed", {})}

    @cached_property
    def fixed_now(self) -> Mapping[str, Any]:
        """Values that all trials of the new sweep have in common, the trainable's defaults included."""
        spec = self.source.spec
        searched = spec.distributions()
        return {name: value for name, value in {**self._defaults, **spec.fixed}.items() if name not in searched}

    @property
    def _defaults(self) -> Mapping[str, Any]:
        return {} if self.source.declaration is None else self.source.declaration.defaults()

    @property
    def _code_before(self) -> list[str]:
        return code_fingerprints(self.before.fingerprints)

    @property
    def _code_now(self) -> list[str]:
        return code_fingerprints(self.now)

    @property
    def _same_trainable(self) -> bool:
        if self._code_before and self._code_before == self._code_now:
            return True
        return _called(self.before.trainable) == _called(str(self.source.spec.trained))

    def _difference(self, name: str, old: Any, new: Any) -> str:
        """How two fixed values differ; "" if they do not. Files are the same if their contents are."""
        before, now = self.before.fingerprints.get(f"{name} {old}"), self.now.get(f"{name} {new}")
        if before is not None and before == now:
            return ""
        if canonical_json(old) != canonical_json(new):
            return f"{name} was {yaml(old)} and is {yaml(new)}"
        return "" if before is None or now is None else f"the content of {new} has changed"


def _computed(formula: str | None) -> str:
    return "not derived" if formula is None else f"{formula!r}"


def _called(trainable: str) -> tuple[str, str]:
    where, _, attribute = trainable.partition(":")
    return Path(where).name, attribute
