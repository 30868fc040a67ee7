"""The method `auto`: a portfolio of ways to propose, each used by what its earlier proposals have found.

The first trials are spread over the space by a Sobol sequence. After that some always explore, and members propose the
others: densities of good and bad configurations, steps around the best, and a process that models learning curves. What
a trial is for depends on (seed, trial) alone, so that a resume, and the scheduler, agree with the search.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

import numpy as np

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, Observation
from orchestrator.core.search.auto.credit import Credit
from orchestrator.core.search.auto.density import Density
from orchestrator.core.search.auto.encoding import Array, Encoding
from orchestrator.core.search.auto.evidence import Evidence
from orchestrator.core.search.auto.improvement import Improvement
from orchestrator.core.search.auto.local import Local
from orchestrator.core.search.auto.risk import Risk
from orchestrator.core.search.auto.roles import explores
from orchestrator.core.search.random import RandomSearch
from orchestrator.core.search.sobol import sobol

if TYPE_CHECKING:
    from orchestrator.space.space import Space

SHARES = {"density": 0.35, "local": 0.3, "improvement": 0.35}
"""The members, and how the proposals are divided among them before anything is known."""

TESTED = 0.5
"""The share of a member's proposals that it makes whatever it found: they show what it is worth."""

FIRST = 10
"""Trials with a value before a member proposes."""

DRAWS = 30  # points that an explorer chooses from
GUESSED = 0.5  # the share of the first proposals near the user's guess
GUESSED_UNTIL = 10  # it halves after so many trials with a value, and goes on to fall as 1 / n
NEAR = 0.15  # how far from the guess they are: a standard deviation, of a range of 1
CAUTION = 4  # it chooses by the chance not to fail, to this power
TRIED = 100  # candidates of a member that are tried


class Member(Protocol):
    """A way to propose configurations. Pure: the same evidence and generator give the same candidates."""

    def candidates(self, evidence: Evidence, rng: np.random.Generator) -> Array | None:
        """Points [n, parameters], the most promising first; None if there is too little evidence."""
        ...


class Auto:
    """The method `auto`.

    Args:
        space: The search space.
        seed: The seed of the sweep.
        mode: "min" or "max".
        max_step: The last step of a full training; None if it is unknown.
    """

    def __init__(self, space: Space, seed: int, mode: str, max_step: int | None) -> None:
        self._seed = seed
        self._space = space
        self._guess = space.prior_config() if space.has_priors else None
        self._encoding = Encoding(space)
        self._evidence = Evidence(encoding=self._encoding, sign=1.0 if mode == "min" else -1.0)
        self._spread = sobol(space, seed)
        self._random = RandomSearch(space, seed)
        self._members: dict[str, Member] = {
            "density": Density(),
            "local": Local(),
            "improvement": Improvement(seed, max_step),
        }
        self._credit = Credit(SHARES)

    def ask(self, number: int, accept: Accept) -> Config | None:
        """A proposal of the member whose turn it is; a draw from the space if it has none."""
        rng = np.random.default_rng([self._seed, number])
        config = self._proposal(number, accept, rng)
        if config is not None:
            self._evidence.start(number, config)
        return config

    def resume(self, number: int, config: Config) -> None:
        """Count a trial as running."""
        self._evidence.start(number, config)

    def tell(self, observation: Observation) -> None:
        """Learn a value, or how a trial ended."""
        number = observation.number
        own = number >= 0  # trials of earlier sweeps have negative numbers
        if own and number not in self._evidence.trials and not explores(self._seed, number):
            member, tested = self._turn(number)
            if tested:
                self._credit.count(member, number)
        self._evidence.tell(observation)

    def forget(self, number: int) -> None:
        """Count a trial as running no longer."""
        self._evidence.forget(number)

    def _proposal(self, number: int, accept: Accept, rng: np.random.Generator) -> Config | None:
        risk = Risk(self._evidence)
        known = len(self._evidence.valued)
        config = self._guessed(number, known, risk, accept, rng)
        if config is not None:
            return config
        if known >= FIRST and not explores(self._seed, number):
            member, tested = self._turn(number)
            if not tested:
                member = str(rng.choice(list(SHARES), p=self._credit.shares(self._evidence)))
            points = self._members[member].candidates(self._evidence, rng)
            config = None if points is None else self._first(points[:TRIED], risk, accept, rng)
            if config is not None:
                return config
        if known < FIRST and not risk.known:
            return self._spread.ask(number, accept)
        return self._explored(risk, accept, rng) or self._random.ask(number, accept)

    def _guessed(self, number: int, known: int, risk: Risk, accept: Accept, rng: np.random.Generator) -> Config | None:
        """The user's guess first; then, less and less often, configurations near it.

        Hvarfner et al. 2022, "piBO", section 4.2: the weight of the user's belief falls as 1 / n.
        """
        if self._guess is None or accept(self._guess):
            return self._guess
        if explores(self._seed, number) or rng.random() >= GUESSED / (1 + known / GUESSED_UNTIL):
            return None
        draws = random.Random(f"{self._seed}/{number}/guess")
        near = [self._encoding.point(self._space.sample_near_prior(draws, NEAR)) for _ in range(DRAWS)]
        return self._first(np.array(near), risk, accept, rng)

    def _explored(self, risk: Risk, accept: Accept, rng: np.random.Generator) -> Config | None:
        """A draw from the space, the likelier the less likely it is to fail."""
        points = rng.random((DRAWS, self._encoding.parameters))
        safe = CAUTION * np.log1p(-risk.of(self._encoding.features(points)))
        for at in np.argsort(-(safe + rng.gumbel(size=DRAWS))):
            if accept(config := self._encoding.config(points[at])):
                return config
        return None

    def _first(self, points: Array, risk: Risk, accept: Accept, rng: np.random.Generator) -> Config | None:
        """The configuration of the first point that is accepted, and that a draw by its risk lets pass."""
        risks = risk.of(self._encoding.features(points))
        for point, chance in zip(points, risks, strict=True):
            if rng.random() < (1 - chance) ** 2 and accept(config := self._encoding.config(point)):
                return config
        return None

    def _turn(self, number: int) -> tuple[str, bool]:
        """The member whose turn it is, and whether it proposes whatever it found."""
        rng = np.random.default_rng([self._seed, number, 1])
        return str(rng.choice(list(SHARES), p=list(SHARES.values()))), bool(rng.random() < TESTED)
