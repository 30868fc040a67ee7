"""Runs the attempts of trials with several ranks: rank 0 in the worker, each other one in an actor of its own.

The actors are in the other bundles of the worker's placement group, so Ray places all ranks of a trial or none. When
one rank fails, the others usually fail too, or hang, because they wait for it: so the attempt ends on all of them, and
the failure that came first is the attempt's.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.existing import presence
from cluster.inventory import CPU, GPU, MEMORY
from cluster.ray_private import wording
from orchestrator.core.events import Start
from orchestrator.core.rows import Failure
from orchestrator.records.paths import log_name
from orchestrator.worker.failures import NODE_LOST, WORKER_DIED, describe, worker_died
from orchestrator.worker.fork.forking import ENDING_S, EXIT_S
from orchestrator.worker.local import Local
from orchestrator.worker.messages import AttemptEnd, WorkerSettings, WorkerUpdate
from orchestrator.worker.ranks.actor import RankActor, place_here
from orchestrator.worker.ranks.part import ALONE, Part
from orchestrator.worker.ranks.parts import Place, parts_of, ranked
from orchestrator.worker.ranks.verdicts import HeldPort
from orchestrator.worker.runner import WorkerSpent
from trainables.command import checkpoint_dir
from trainables.command.program import Program

START_S = 600.0
"""Seconds that the actors may take to import the trainable."""
SETTLE_S = 3.0
"""Seconds after a failure in which other ranks' failures are looked at: one of them may have come first."""
LAST_S = 30.0
"""Seconds that the other ranks may still take when rank 0 has returned."""
CLOSE_S = ENDING_S + EXIT_S + 5.0
"""Seconds that an actor may take to end its part of an attempt, on top of what a program may take."""


class Ranks:
    """A Runner of all ranks of a trial. Runs in the worker, which is in the first bundle of a placement group."""

    def __init__(self, settings: WorkerSettings, *, forks: bool) -> None:
        """Start the actors, and import the trainable meanwhile.

        Args:
            settings: The sweep's.
            forks: Whether to try to fork the processes of trials.

        Raises:
            TrainableError: The trainable cannot be imported.
        """
        self._settings = settings
        self._shared = ray.put(settings)
        self._forks = forks
        self._group = ray.util.get_current_placement_group()
        assert self._group is not None
        self._actors: dict[int, Any] = {}  # by bundle
        self._start_missing()
        here = place_here()
        self._own = Local(settings, node=here.node, gpu_ids=here.gpu_ids, forks=forks)
        self._ports: list[HeldPort] = []
        self._places: list[Place] = [here]  # by rank
        self._others: list[tuple[int, Any]] = []  # bundle and actor, from rank 1
        self._pending: dict[Any, int] = {}  # rank, by the answer that is waited for
        self._failures: dict[int, AttemptEnd] = {}  # by rank
        self._order: Start | None = None
        self._spent = False

    def begin(self, order: Start, part: Part = ALONE) -> None:
        """Begin an attempt on all ranks."""
        self._start_missing()
        bundles = [0, *self._actors]
        places = [place_here(), *ray.get([each.place.remote() for each in self._actors.values()], timeout=START_S)]
        in_order = ranked(places)
        self._places = [places[at] for at in in_order]
        self._others = [(bundles[at], self._actors[bundles[at]]) for at in in_order[1:]]
        self._order, self._trial = order, order.trial
        self._failures = {}
        self._let_ports_go()
        self._ports = [HeldPort(), HeldPort(self._places[0].node.name)]
        master, verdicts = (port.number for port in self._ports)
        parts = parts_of(self._places, master_port=master, verdict_port=verdicts)
        begun = [actor.begin.remote(order, part) for (_, actor), part in zip(self._others, parts[1:], strict=True)]
        self._own.begin(order, parts[0])
        ray.get(begun, timeout=START_S)
        self._pending = {actor.update.remote(): rank for rank, (_, actor) in enumerate(self._others, start=1)}

    def update(self) -> bytes:
        """What happened since the last call on rank 0, and how the attempt ended on all ranks if it did."""
        if self._spent:
            raise WorkerSpent("the trial failed")
        update = WorkerUpdate.unpack(self._own.update())
        self._look(0.0)
        if update.ended is not None and update.ended.failure is None:
            self._look(LAST_S)
        if self._failures or (update.ended is not None and update.ended.failure is not None):
            update = self._failed(update)
        gpu_ids = tuple(gpu for place in self._places for gpu in place.gpu_ids)
        other_nodes = frozenset(place.node.id for place in self._places[1:])
        return replace(update, gpu_ids=gpu_ids, other_nodes=other_nodes, spent=self._spent).pack()

    def end(self) -> None:
        """End the attempt on all ranks; an actor that cannot be used any more is replaced before the next."""
        ending = {actor.end.remote(): bundle for bundle, actor in self._others}
        self._others, self._pending = [], {}
        try:
            self._own.end()
        finally:
            if ending:
                ray.wait(list(ending), num_returns=len(ending), timeout=CLOSE_S + self._settings.grace_s)
            for ref, bundle in ending.items():
                try:
                    ray.get(ref, timeout=0)
                except Exception:  # it is spent, dead, or stuck
                    ray.kill(self._actors.pop(bundle))
            self._clear_up()

    def close(self) -> None:
        """End the attempt, and the actors."""
        closing = [actor.close.remote() for actor in self._actors.values()]
        try:
            self._own.close()
        finally:
            ray.wait(closing, num_returns=len(closing), timeout=CLOSE_S + self._settings.grace_s)
            for actor in self._actors.values():
                ray.kill(actor)
            self._actors.clear()
            self._clear_up()

    # The actors -------------------------------------------------------------------------------------------------

    def _start_missing(self) -> None:
        for bundle in range(1, self._settings.ranks):
            if bundle not in self._actors:
                self._actors[bundle] = self._started(bundle)
        self._actors = dict(sorted(self._actors.items()))

    def _started(self, bundle: int) -> Any:
        amounts = dict(self._group.bundle_specs[bundle])
        options = {
            "num_cpus": amounts.pop(CPU, 0),
            "num_gpus": amounts.pop(GPU, 0),
            "memory": amounts.pop(MEMORY, None),
            "resources": amounts,
            "scheduling_strategy": PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=bundle),
        }
        return ray.remote(RankActor).options(**options).remote(self._shared, forks=self._forks)

    def _clear_up(self) -> None:
        """Remove what all ranks of an attempt have used."""
        self._let_ports_go()
        order, self._order = self._order, None
        if order is not None and isinstance(self._settings.trainable, Program):
            checkpoint_dir.remove(checkpoint_dir.directory_in(Path(self._settings.trials) / str(order.trial)))

    def _let_ports_go(self) -> None:
        for port in self._ports:
            port.let_go()
        self._ports = []

    # Failures ---------------------------------------------------------------------------------------------------

    def _look(self, seconds: float) -> None:
        """Take the answers of the other ranks, until all have ended, one has failed, or the time is up."""
        until = time.monotonic() + seconds
        while self._pending:
            left = max(0.0, until - time.monotonic())
            ready, _ = ray.wait(list(self._pending), num_returns=1, timeout=left)
            for ref in ready:
                self._take(self._pending.pop(ref), ref)
            if not ready or self._failures:
                return

    def _take(self, rank: int, ref: Any) -> None:
        """Take an answer, and ask again if the rank still trains."""
        try:
            update = WorkerUpdate.unpack(ray.get(ref))
        except RayActorError as error:
            self._spent = True  # a bundle of the group may be gone with the actor
            self._failures[rank] = self._death(rank, error)
            return
        except Exception as error:
            self._spent = True
            self._failures[rank] = AttemptEnd(failure=describe(error))
            return
        if update.ended is None:
            self._pending[self._others[rank - 1][1].update.remote()] = rank
        elif update.ended.failure is not None:
            self._failures[rank] = update.ended

    def _failed(self, update: WorkerUpdate) -> WorkerUpdate:
        """The last update of an attempt that has failed on some rank: with its first failure."""
        until = time.monotonic() + SETTLE_S
        while self._pending and (left := until - time.monotonic()) > 0:
            ready, _ = ray.wait(list(self._pending), num_returns=1, timeout=left)
            for ref in ready:
                self._take(self._pending.pop(ref), ref)
        if update.ended is None:
            last = WorkerUpdate.unpack(self._own.update())
            update = replace(last, reports=[*update.reports, *last.reports], saved=last.saved or update.saved)
        failures = dict(self._failures)
        if update.ended is not None and update.ended.failure is not None:
            failures[0] = update.ended
            self._spent |= update.spent
        for rank in set(self._pending.values()):
            if not presence.answers(self._places[rank].node.id):
                failures[rank] = self._lost(rank)
                self._spent = True
        rank = min(failures, key=lambda each: (not _died(failures[each]), failures[each].at, each))
        return replace(update, ended=self._told(rank, failures[rank]))

    def _death(self, rank: int, error: RayActorError) -> AttemptEnd:
        """The end of an attempt whose actor has ended."""
        lost = getattr(error, "preempted", False) or wording.node_lost(str(error))
        if not lost:
            time.sleep(1.0)  # Ray may know of the dead process first, and of its node a little later
            lost = not presence.answers(self._places[rank].node.id)
        if lost:
            return self._lost(rank)
        log = self._settings.log(self._trial, rank)
        return AttemptEnd(failure=worker_died(str(error), log, self._settings.timeout_s))

    def _lost(self, rank: int) -> AttemptEnd:
        message = f"node {self._places[rank].node} is gone or unreachable"
        failure = Failure(type=NODE_LOST, message=message, fingerprint=NODE_LOST)
        return AttemptEnd(failure=failure, node_lost=True)

    def _told(self, rank: int, ended: AttemptEnd) -> AttemptEnd:
        """An end, with the rank in its message."""
        if rank == 0:
            return ended
        failure, node = ended.failure, self._places[rank].node
        assert failure is not None
        message = f"rank {rank} on {node.name}: {failure.message} (its log: {log_name(self._trial, rank)})"
        return replace(ended, failure=replace(failure, message=message), node=node)


def _died(ended: AttemptEnd) -> bool:
    return ended.wordless or (ended.failure is not None and ended.failure.type in (WORKER_DIED, NODE_LOST))
