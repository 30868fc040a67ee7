"""Creates the trials of a sweep: numbers, seeds and brackets, and the events that tell of them."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.core.journal import Journal
from orchestrator.core.reuse import Training
from orchestrator.core.rows import Config, Origin, State
from orchestrator.core.trial import Trial
from orchestrator.core.trial_queue import TrialQueue
from orchestrator.spec import Objective


class NewTrials:
    """Appends trials to the list of a sweep. A trial's seed depends on the sweep's and its number alone, unless
    one seed is given for all of them.

    Attributes:
        taken: Trials that are to be taken over from earlier sweeps, by number.
    """

    def __init__(
        self,
        trials: list[Trial],
        *,
        queue: TrialQueue,
        journal: Journal,
        bracket: Callable[[int], int],
        objective: Objective,
        seed: int,
        complete: Callable[[Config], Config],
        trial_seed: int | None = None,
        trained: Callable[[Config, int], Training | None] = lambda _config, _seed: None,
    ) -> None:
        """
        Args:
            trials: All trials of the sweep, by number.
            queue: Proposes configurations, and counts them.
            journal: Takes the events.
            bracket: The scheduler's bracket of a trial.
            objective: Of the sweep.
            seed: Of the sweep.
            complete: Adds the derived values to a configuration.
            trial_seed: Of all its trials; None: one each.
            trained: The training of an earlier sweep with a configuration and a seed.
        """
        self._trials = trials
        self._queue = queue
        self._journal = journal
        self._bracket = bracket
        self._objective = objective
        self._seed = seed
        self._trial_seed = trial_seed
        self._trained = trained
        self._complete = complete
        self.taken: dict[int, Training] = {}

    def propose(self, at: float) -> Trial | None:
        """A trial of the next configuration that is proposed; None if there is none, or none yet."""
        before = self._queue.used_up
        proposal = self._queue.propose(len(self._trials))
        if proposal is not None:
            config, origin = proposal
            number = len(self._trials)
            training = self._trained(config, self._seed_of(number))
            if training is not None:
                self.taken[number], origin = training, Origin.REUSED
            return self.create(at, config, origin)
        if self._queue.used_up and not before:
            text = f"search space exhausted after {len(self._trials)} distinct configurations"
            self._journal.note(at, "note", text)
        return None

    def create(self, at: float, config: Config, origin: Origin, retry_of: int | None = None) -> Trial:
        """Create the next trial, with this configuration, and record it."""
        trial = self.restore(config, origin, retry_of)
        detail = {"config": config, "origin": origin, "retry_of": retry_of}
        self._journal.trial_event(trial, at, State.PENDING, detail=detail)
        return trial

    def restore(self, config: Config, origin: Origin, retry_of: int | None) -> Trial:
        """Create the next trial as it was recorded."""
        number = len(self._trials)
        self._queue.count(config, origin)
        trial = Trial(
            number=number,
            config=config,
            complete=self._complete(config),
            seed=self._seed_of(number),
            bracket=self._bracket(number),
            objective=self._objective,
            origin=origin,
            retry_of=retry_of,
        )
        self._trials.append(trial)
        return trial

    def _seed_of(self, number: int) -> int:
        if self._trial_seed is not None:
            return self._trial_seed
        return random.Random(f"{self._seed}/{number}/trial").getrandbits(31)
