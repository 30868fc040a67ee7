"""How many trials may run at once on nodes that come and go, and whether trials wait for free resources.

A thread asks the cluster, so that the driver never waits for an answer; answers are at most seconds old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cluster.engine import Engine
from cluster.existing import presence
from cluster.fit import Need
from cluster.ray_private import cluster_state
from cluster.ray_private.trainer_placement import look_after_trainers
from orchestrator.core.rows import State
from orchestrator.core.sweep import Sweep
from orchestrator.driver.observer import FREE_RESOURCES
from orchestrator.sites.needs import needs_of
from orchestrator.sites.placement import sharing
from orchestrator.spec import Spec

LOOK_S = 2.0
"""Seconds between two queries of the nodes."""

WAIT_S = 10.0
"""Seconds that a trial may wait for a process before the cluster is asked what the trial waits for; and that all
trainers of Ray Train that trials have started may wait for room before that is told."""


class Capacity:
    """Follows the nodes of an engine for a sweep."""

    def __init__(self, spec: Spec, engine: Engine, sweep: Sweep, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._engine = engine
        self._sweep = sweep
        self._clock = clock
        self._nodes = engine.nodes()
        self._needs = needs_of(spec, self._nodes)
        self._occupied: list[Need] = []  # if trials differ: by those that run or wait for room
        self._known: tuple[object, ...] = ()
        self._slots = 0
        self._pending_since: float | None = None  # when some trial began to wait for a process
        self._ask = threading.Event()  # set while the cluster is asked what trials wait for
        self._waiting = 0  # trials of this size that Ray has not placed
        self._reported = False  # whether the observer knows that trials wait
        self._next = 0.0
        self._starving_since: float | None = None  # when trainers began to wait, with none that trains
        self._starving = ""  # what is to be told of that

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Watch the nodes while the context is open. The engine must be running."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(LOOK_S):
                with suppress(Exception):  # while the head node is unreachable, the last answer stands
                    leaving = cluster_state.draining_nodes()
                    self._nodes = tuple(node for node in self._engine.nodes() if node.id not in leaving)
                    self._waiting = self._unplaced() if self._ask.is_set() else 0
                    self._look_after_trainers()

        thread = threading.Thread(target=look, name="looks at nodes", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(LOOK_S)

    def slots(self) -> int:
        """How many trials may run at once on the nodes that are present and not set aside."""
        aside, sweep = self._sweep.node_health.set_aside, self._sweep
        if self._needs.vary:
            self._occupied = [self._needs.of(trial.asked, trial.gpus) for trial in sweep.live_trials()]
        known = (self._nodes, len(aside), sweep.gpu_shares.gpus, sweep.surplus, self._occupied)
        if known != self._known:
            used = [node for node in self._nodes if node.id not in aside]
            if not used:
                self._slots = 0
            elif self._needs.vary:
                self._slots = self._needs.slots_beside(used, self._occupied, self._spec.resources.max_gpus)
            else:
                self._slots = sharing(self._spec, used, sweep.gpu_shares.gpus, sweep.surplus)
            self._known = known
        return self._slots

    def _look_after_trainers(self) -> None:
        """Notice that trainers of Ray Train wait for what the trials that started them occupy: they wait for ever.

        Between two tries of a trainer to start it is not seen to wait, which changes nothing.
        """
        trainers, now = look_after_trainers(), self._clock()
        if trainers.placed:
            self._starving_since, self._starving = None, ""
        elif trainers.waiting and self._starving_since is None:
            self._starving_since = now
        elif trainers.waiting and now - (self._starving_since or now) > WAIT_S:
            self._starving = (
                f"waiting: a trainer of Ray Train finds no room for {trainers.need} beside the trials, and none trains;"
                " lower resources.concurrency, or what a trial itself takes (resources.cpu, resources.gpu)"
            )

    def _unplaced(self) -> int:
        """How many requests for what trials occupy Ray has not placed."""
        different = {str(need): need for need in (self._occupied or self._needs.kinds)}
        return sum(presence.waiting([need.bundle()] * need.ranks) for need in different.values())

    def tell(self, trouble: Callable[[str, str | None], object]) -> None:
        """Call ``trouble`` with what trials wait for, once when the wait begins and once when it ends. Called often."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_S
        why = self._trouble()
        if bool(why) != self._reported:
            self._reported = bool(why)
            trouble(FREE_RESOURCES, why)

    def _trouble(self) -> str | None:
        if not self.slots():
            return "waiting: no node has room for a trial"
        if self._starving:
            return self._starving
        pending = self._sweep.live - sum(trial.state is State.RUNNING for trial in self._sweep.trials)
        if pending <= 0:
            self._pending_since = None
            self._ask.clear()
            return None
        if self._pending_since is None:
            self._pending_since = self._clock()
        if self._clock() - self._pending_since > WAIT_S:
            self._ask.set()
        waiting = min(pending, self._waiting) if self._ask.is_set() else 0
        return f"waiting: {waiting} of {self._sweep.live} trials have no free resources yet" if waiting else None
