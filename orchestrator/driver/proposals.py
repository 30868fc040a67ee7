"""Proposals computed beside the driver: a search method may think for long, and the driver must answer its trials.

One thread owns the method. It takes what the driver tells in order, and between two messages computes the next
proposals, so that a free slot mostly finds one. A proposal knows what was told before its computation began; since its
configuration is recorded with the trial, a resume needs no more than before.

Python runs one thread at a time. With its usual turns of 5 ms, a driver of 2,000 reports a second beside tpe with 3,000
results answers 99 % of them within 17 ms; with turns of 0.1 ms within 1 ms, hence ``TURN_S``.
"""

from __future__ import annotations

import math
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from orchestrator.core.rows import Config
from orchestrator.core.search import Accept, NotReadyError, Observation, Search

TURN_S = 1e-4
"""Seconds that a thread computes before it lets another one run, while a proposal may be computed."""

HOLD_S = 0.002
"""Seconds that the driver waits at most for a proposal."""

IDLE_HOLD_S = 0.05
"""Seconds that it waits at a time while no trial runs, so that nobody else waits with it."""

SHARE_AHEAD = 20
"""Running trials for each proposal computed ahead beyond the first: what these do not know of stays negligible."""

CLOSE_S = 1.0
"""Seconds that the end of a session waits for a computation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Proposal:
    number: int  # the trial that it was computed for
    config: Config


class ProposalsAhead:
    """A search method in a thread of its own; ``ask`` raises ``NotReadyError`` instead of waiting for it.

    While one trial runs at a time nothing is computed ahead: each proposal knows all results, as without a thread.

    Args:
        search: The method. Only the thread calls it from now on, beginning with the first ``ask``.
        trials: Nothing is computed ahead for trials beyond this number; None: no number ends the sweep.
        live: Gives the number of trials that occupy a slot; those that are paused do not.
    """

    def __init__(self, search: Search, *, trials: int | None, live: Callable[[], int]) -> None:
        self._search = search
        self._trials = math.inf if trials is None else trials
        self._live = live
        self._others = 0  # trials that occupied a slot when the driver asked last
        self._changed = threading.Condition()
        self._messages: deque[Callable[[], None]] = deque()  # not passed on to the method yet
        self._ready: deque[_Proposal] = deque()
        self._running: dict[int, Config] = {}  # paused trials included
        self._next = 0  # the trial for which the next proposal is computed
        self._accept: Accept | None = None
        self._wanted = False  # whether the driver has asked and got nothing yet
        self._used_up = False
        self._closed = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._turn_s = sys.getswitchinterval()

    # What the driver calls ---------------------------------------------------------------------------------------

    def ask(self, number: int, accept: Accept) -> Config | None:
        """A proposal computed ahead.

        Raises:
            NotReadyError: It is being computed.
            Exception: What the method has raised.
        """
        with self._changed:
            self._accept, self._others = accept, self._live()
            self._next = max(self._next, number)
            hold_s = 0.0 if self._wanted else HOLD_S
            self._wanted = True
            self._start()
            self._changed.notify_all()
            self._changed.wait_for(self._answerable, hold_s if self._others else IDLE_HOLD_S)
            if self._error is not None:
                raise self._error
            if self._ready:
                proposal = self._ready[0]
                if proposal.number == number and accept(proposal.config):
                    return self._hand_out()
                self._start_over(number)  # another trial was added in the meantime
            elif self._used_up:
                return None
            raise NotReadyError

    def resume(self, number: int, config: Config) -> None:
        """Pass on to the method, later."""
        with self._changed:
            self._running[number] = config
            self._post(partial(self._search.resume, number, config))

    def tell(self, observation: Observation) -> None:
        """Pass on to the method, later."""
        with self._changed:
            if observation.outcome.ended:
                self._running.pop(observation.number, None)
            self._post(partial(self._search.tell, observation))

    def forget(self, number: int) -> None:
        """Pass on to the method, later."""
        with self._changed:
            self._running.pop(number, None)
            self._post(partial(self._search.forget, number))

    def close(self) -> None:
        """End the thread; a computation under way is waited for, but not for long."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            sys.setswitchinterval(self._turn_s)

    def _start(self) -> None:
        if self._thread is None:
            sys.setswitchinterval(TURN_S)
            self._thread = threading.Thread(target=self._run, name="proposes configurations", daemon=True)
            self._thread.start()

    def _answerable(self) -> bool:
        return bool(self._ready or self._used_up or self._error)

    def _post(self, message: Callable[[], None]) -> None:
        self._messages.append(message)
        self._changed.notify_all()

    def _hand_out(self) -> Config:
        proposal = self._ready.popleft()
        self._wanted = False
        self._running[proposal.number] = proposal.config
        self._changed.notify_all()
        return proposal.config

    def _start_over(self, number: int) -> None:
        """Drop what was computed ahead, for the trial with this number comes next."""
        while self._ready:
            dropped = self._ready.pop().number
            self._post(partial(self._search.forget, dropped))
            if dropped in self._running:  # that trial was added
                self._post(partial(self._search.resume, dropped, self._running[dropped]))
        self._next = number

    # What the thread does ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._messages or self._lacks_proposal())
                    if self._closed:
                        return
                    messages = list(self._messages)
                    self._messages.clear()
                for message in messages:
                    message()
                with self._changed:
                    compute = not self._messages and self._lacks_proposal()
                if compute:
                    self._compute()
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _lacks_proposal(self) -> bool:
        if self._used_up or self._accept is None:
            return False
        if self._next >= self._trials or not self._others:
            return self._wanted and not self._ready
        return len(self._ready) < 1 + self._others // SHARE_AHEAD

    def _compute(self) -> None:
        assert self._accept is not None
        with self._changed:
            number, accept = self._next, self._accept
            pending = [proposal.config for proposal in self._ready]

        def acceptable(config: Config, times: int = 1) -> bool:
            return config not in pending and accept(config, times)

        config = self._search.ask(number, acceptable)
        with self._changed:
            if config is None:
                self._used_up = True
            else:
                self._ready.append(_Proposal(number=number, config=config))
                self._next = number + 1
            self._changed.notify_all()
