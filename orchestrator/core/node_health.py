"""Sets broken nodes aside: a broken node fails trial after trial within seconds, and would use up the sweep.

Pure. A node is set aside when three different trials in a row failed there quickly. The node is not to blame, and stays
in use, if the same failure occurs on other nodes or no other node is left.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.core.rows import Failure

QUICK_S = 30.0
"""Seconds after a trial's start within which a failure counts against the node. What is missing or broken on a node
shows when a trial imports, reads its data and first uses its GPU; later failures are rarely the node's."""

IN_A_ROW = 3
"""Quick failures on a node, without a success in between, after which the node is set aside."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: Ray's id, which is unique, and the name that people know."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id[:8]})"


class NodeHealth:
    """Counts quick failures by node, and sets nodes aside.

    Attributes:
        set_aside: The reason, in a sentence, by id of the node. A restarted node has a new id.
    """

    def __init__(self) -> None:
        self.set_aside: dict[str, str] = {}
        self._failures: dict[str, dict[int, str]] = {}  # fingerprint by node id and trial, of quick failures in a row

    def record_success(self, node: Node | None) -> None:
        """Note that a trial succeeded on the node, or still reports after its first seconds."""
        if node is not None:
            self._failures.pop(node.id, None)

    def record_failure(
        self, node: Node, trial: int, failure: Failure, *, ran_s: float, others: Collection[str]
    ) -> tuple[int, ...]:
        """Note a failed trial. Returns the trials that failed because of the node, if the node is now set aside.

        Args:
            node: A node that is in use.
            trial: The number of the trial.
            failure: The failure; failures with the same fingerprint have the same cause.
            ran_s: Seconds from the start of the attempt to the failure.
            others: The ids of the other nodes on which a trial fits.
        """
        if ran_s >= QUICK_S:
            return ()
        failures = self._failures.setdefault(node.id, {})
        failures[trial] = failure.fingerprint
        left = set(others).difference(self.set_aside, (node.id,))
        elsewhere = {fingerprint for other in left for fingerprint in self._failures.get(other, {}).values()}
        if len(failures) < IN_A_ROW or not left or elsewhere.intersection(failures.values()):
            return ()
        trials = tuple(sorted(self._failures.pop(node.id)))
        self.set_aside[node.id] = (
            f"node {node} was set aside: trials {', '.join(map(str, trials))} failed there in a row, each within"
            f" {QUICK_S:g} s; last failure: {failure.type}: {failure.message}"
        )
        return trials
