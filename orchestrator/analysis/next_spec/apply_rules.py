"""Applies the rules in order. A change that would make the spec invalid is skipped, so the result is always valid."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.analysis.next_spec.choice_rules import drop_options, extend_options, refine_grid, trim_options
from orchestrator.analysis.next_spec.fix_unimportant import fix_unimportant
from orchestrator.analysis.next_spec.prior_results import PriorResults
from orchestrator.analysis.next_spec.prune import prune
from orchestrator.analysis.next_spec.range_rules import extend_range, narrow_range, recentre_normal
from orchestrator.analysis.next_spec.search_rules import learn_from, new_seed, start
from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange, apply_change
from orchestrator.space.distribution import Distribution
from orchestrator.spec.model import Spec

Rule = Callable[[PriorResults, str, Distribution], SpecChange | None]

RULES: tuple[Rule, ...] = (
    extend_range,
    extend_options,
    narrow_range,
    recentre_normal,
    refine_grid,
    trim_options,
    drop_options,
)
"""The rules for one parameter; the first that proposes a change wins."""


@dataclass(frozen=True, kw_only=True)
class RevisedSpec:
    """The next spec, and the changes from the previous one."""

    plain: PlainSpec
    changes: tuple[SpecChange, ...]


def apply_rules(prior: PriorResults, plain: PlainSpec, is_valid: Callable[[PlainSpec], bool]) -> RevisedSpec:
    """Apply the rules to the spec of a sweep.

    Args:
        prior: The results of the sweep; at least one trial has a result.
        plain: The effective spec of the sweep.
        is_sound: Whether `sweep check` accepts a spec.
    """
    made: list[SpecChange] = []
    there = {name for each in prior.good for name in each.config}

    def make(change: SpecChange | None) -> None:
        nonlocal plain
        if change is None:
            return
        candidate, consequences = prune(apply_change(plain, change), keep=there)
        if is_valid(candidate):
            plain = candidate
            made.extend([change, *consequences])

    before = plain["search"]
    plain = plain | {"search": before | {"start": []}}  # already tried, and possibly outside the new space
    for change in _of_the_space(prior):
        make(change)
    make(new_seed(prior, before))
    make(learn_from(prior, before))
    make(start(prior, before, Spec.model_validate(plain).parameter_space()))
    return RevisedSpec(plain=Spec.model_validate(plain).to_plain(), changes=tuple(made))


def _of_the_space(prior: PriorResults) -> Iterator[SpecChange]:
    if not prior.enough:
        return
    fixed = set()
    for change in fix_unimportant(prior):
        fixed |= {key[1] for key in change.edits}
        yield change
    for name, distribution in prior.space.items():
        if name not in fixed:
            said = (rule(prior, name, distribution) for rule in RULES)
            yield from itertools.islice((each for each in said if each is not None), 1)
