"""Which nodes a sweep does without: a broken one fails trial after trial within seconds, and would use up the sweep.

Pure. A node is set aside when three different trials in a row failed there quickly, unless it is the last one left or
the same happens on other nodes, too: then it is not the node.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.core.rows import Failure

QUICK_S = 30.0
"""A failure so soon after its start counts against the node: what is missing or broken there shows when a trial
imports, reads its data and first uses its GPU, and later than that it is rarely the node."""

IN_A_ROW = 3
"""So many trials must have failed quickly on a node, with none going well there in between."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node as it is told of: Ray's id, under which it is one of its kind, and the name that people know."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id[:8]})"


class NodeHealth:
    """What is known of the nodes of a sweep.

    Attributes:
        aside: Those that are not used any more: id → why, in a sentence. A node that is started anew has a new id.
    """

    def __init__(self) -> None:
        self.set_aside: dict[str, str] = {}
        self._rows: dict[str, dict[int, str]] = {}  # node id → trial → cause, of the quick failures in a row

    def record_success(self, node: Node | None) -> None:
        """A trial came to its end there, or reported after its first seconds."""
        if node is not None:
            self._rows.pop(node.id, None)

    def record_failure(
        self, node: Node, trial: int, failure: Failure, *, ran_s: float, others: Collection[str]
    ) -> tuple[int, ...]:
        """A trial failed on a node that is used: the trials that failed because of it, if it is now set aside.

        Args:
            node: Where.
            trial: Which.
            failure: How; those with the same fingerprint have one cause.
            ran_s: Seconds from its start.
            others: The ids of the other nodes on which a trial fits.
        """
        if ran_s >= QUICK_S:
            return ()
        row = self._rows.setdefault(node.id, {})
        row[trial] = failure.fingerprint
        left = set(others).difference(self.set_aside, (node.id,))
        elsewhere = {cause for other in left for cause in self._rows.get(other, {}).values()}
        if len(row) < IN_A_ROW or not left or elsewhere.intersection(row.values()):
            return ()
        trials = tuple(sorted(self._rows.pop(node.id)))
        self.set_aside[node.id] = (
            f"node {node} is set aside: trials {', '.join(map(str, trials))} failed there, one after the other and"
            f" each within {QUICK_S:g} s; the last: {failure.type}: {failure.message}"
        )
        return trials
