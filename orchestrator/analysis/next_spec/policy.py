"""Which rule comes when. A revision that would leave a spec with a mistake is not made, so what comes out is sound."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.analysis.next_spec.consequences import settled
from orchestrator.analysis.next_spec.experience import Experience
from orchestrator.analysis.next_spec.fixing import fix
from orchestrator.analysis.next_spec.options import close_in, drop, extend, refine
from orchestrator.analysis.next_spec.ranges import narrow, recentre, shift
from orchestrator.analysis.next_spec.revision import Plain, Revision, revised
from orchestrator.analysis.next_spec.search import draw_anew, start
from orchestrator.space.distribution import Distribution
from orchestrator.spec.model import Spec

Rule = Callable[[Experience, str, Distribution], Revision | None]

RULES: tuple[Rule, ...] = (shift, extend, narrow, recentre, refine, close_in, drop)
"""For one parameter; the first that has something to say is heard."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The next spec, and what is another in it."""

    plain: Plain
    revisions: tuple[Revision, ...]


def propose(known: Experience, plain: Plain, is_sound: Callable[[Plain], bool]) -> Proposal:
    """What to search next.

    Args:
        known: What the sweep has taught; at least one trial has a result.
        plain: Its effective spec.
        is_sound: Whether `sweep check` finds no mistake in a spec.
    """
    made: list[Revision] = []
    there = {name for each in known.good for name in each.config}

    def make(revision: Revision | None) -> None:
        nonlocal plain
        if revision is None:
            return
        candidate, consequences = settled(revised(plain, revision), keep=there)
        if is_sound(candidate):
            plain = candidate
            made.extend([revision, *consequences])

    before = plain["search"]
    plain = plain | {"search": before | {"start": []}}  # they were tried, and need not lie in the new space
    for revision in _of_the_space(known):
        make(revision)
    make(draw_anew(known, before))
    make(start(known, before, Spec.model_validate(plain).parameter_space()))
    return Proposal(plain=Spec.model_validate(plain).to_plain(), revisions=tuple(made))


def _of_the_space(known: Experience) -> Iterator[Revision]:
    if not known.enough:
        return
    fixed = set()
    for revision in fix(known):
        fixed |= {key[1] for key in revision.edits}
        yield revision
    for name, distribution in known.space.items():
        if name not in fixed:
            said = (rule(known, name, distribution) for rule in RULES)
            yield from itertools.islice((each for each in said if each is not None), 1)
