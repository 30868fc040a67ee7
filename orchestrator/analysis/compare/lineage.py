"""The tree of sweeps: `sweep next` and `sweep confirm` record in a spec which sweep it derives from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.analysis.summary.overview import Overview


@dataclass(frozen=True, kw_only=True)
class Descendant:
    """A sweep in the tree."""

    sweep: Overview
    depth: int  # 0: the sweep has no parent, or its parent is not listed


def lineage(found: Sequence[Overview]) -> list[Descendant]:
    """Every sweep once, each below its parent; siblings keep their order."""
    children: dict[str, list[Overview]] = {}
    parents = {each.name: each.parent for each in found}
    roots = []
    for each in found:
        if each.parent in parents and not _in_a_circle(each.name, parents):
            children.setdefault(each.parent, []).append(each)
        else:
            roots.append(each)
    return [each for root in roots for each in _below(root, children, 0)]


def _below(sweep: Overview, children: Mapping[str, Sequence[Overview]], depth: int) -> Iterator[Descendant]:
    yield Descendant(sweep=sweep, depth=depth)
    for child in children.get(sweep.name, ()):
        yield from _below(child, children, depth + 1)


def _in_a_circle(name: str, parents: Mapping[str, str]) -> bool:
    """Whether a sweep is its own ancestor, which happens when the name of a removed sweep is reused."""
    ancestor, seen = parents[name], {name}
    while ancestor in parents and ancestor not in seen:
        seen.add(ancestor)
        ancestor = parents[ancestor]
    return ancestor == name
