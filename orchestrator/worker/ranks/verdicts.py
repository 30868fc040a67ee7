"""Has all ranks of a trial stop at the same report.

Rank 0 alone is told by the driver whether the trial goes on. After each of its reports it tells the others, and a
report of another rank returns, or raises, once the word for its step is there. That takes one message a report, and
ranks that train together wait for each other anyway. In the same way the others wait for what rank 0 does first.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

_MESSAGE = struct.Struct("!q")
_NOTHING = -1  # no report has been decided
_FINISHED = -2  # rank 0 has returned: the others may end by themselves
_ENDED = -3  # the trial is to end
_TURNS = -10  # less the number of blocks that rank 0 has run first: not a state

RETRY_S = 0.05
SLOW_S = 60.0
"""Seconds that a rank waits at a report before its log says what it waits for."""
TURN_S = 0.5
"""Between two turns of a wait, so that an exception can be raised in the thread that waits."""


class Announcer:
    """Rank 0's side: tells each rank that connects what has been decided, from then on.

    Nothing is ever read from a connection.
    """

    def __init__(self, address: tuple[str, int], *, others: int) -> None:
        """Listen.

        Args:
            address: Of this node, and a port that :class:`HeldPort` holds there.
            others: How many other ranks there are.

        Raises:
            OSError: Another process has taken the port.
        """
        self._others = others
        self._state = _NOTHING
        self._turns = 0
        self._changed = threading.Condition()
        self._connections: list[socket.socket] = []
        self._listener = _bound(*address)
        self._listener.listen(others)
        threading.Thread(target=self._accept, name="verdicts", daemon=True).start()

    def decided(self, step: int) -> None:
        """The trial goes on after this step."""
        self._tell(step)

    def turn(self) -> None:
        """Rank 0 has run another block that it runs first."""
        with self._changed:
            self._turns += 1
            self._send(_TURNS - self._turns)

    def over(self, *, finished: bool) -> None:
        """No report of rank 0 will follow: it has returned, or the trial is to end."""
        if self._state not in (_FINISHED, _ENDED):
            self._tell(_FINISHED if finished else _ENDED)

    def all_there(self, seconds: float) -> bool:
        """Wait until every rank has connected; whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._connections) >= self._others, timeout=seconds)

    def close(self) -> None:
        """Let the port go, after what was told last."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._changed:
            for connection in self._connections:
                connection.close()

    def _tell(self, state: int) -> None:
        with self._changed:
            self._state = state
            self._send(state)

    def _send(self, message: int) -> None:
        for connection in self._connections:
            with suppress(OSError):  # that rank has ended, which its worker notices
                connection.sendall(_MESSAGE.pack(message))

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.append(connection)
                with suppress(OSError):
                    connection.sendall(_MESSAGE.pack(_TURNS - self._turns) + _MESSAGE.pack(self._state))
                self._changed.notify_all()


class Listener:
    """The side of the other ranks."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Begin without a connection.

        Args:
            address: Host and port of rank 0's Announcer.
        """
        self._address = address
        self._state = _NOTHING
        self._step = _NOTHING
        self._turns = 0
        self._turns_taken = 0
        self._changed = threading.Condition()
        self._closed = False

    def listen(self) -> None:
        """Connect, and listen from then on."""
        threading.Thread(target=self._listen, name="verdicts", daemon=True).start()

    def goes_on(self, step: int) -> bool:
        """Wait for the word about a step; whether the trial goes on after it."""
        began, told = time.monotonic(), False
        with self._changed:
            while step > self._step and self._state not in (_FINISHED, _ENDED):
                self._changed.wait(TURN_S)
                if not told and time.monotonic() - began > SLOW_S:
                    told = True
                    print(
                        f"waiting: this rank has reported step {step}, and rank 0 has not. Ranks other than 0"
                        " report the steps that rank 0 reports, or nothing.",
                        flush=True,
                    )
            return step <= self._step or self._state == _FINISHED

    @property
    def ended(self) -> bool:
        """Whether the trial is to end."""
        return self._state == _ENDED

    def turn(self) -> bool:
        """Wait until rank 0 has run the next block that it runs first; False if the trial is to end."""
        with self._changed:
            self._turns_taken += 1
            while self._turns < self._turns_taken and self._state not in (_FINISHED, _ENDED):
                self._changed.wait(TURN_S)
            return self._turns >= self._turns_taken or self._state == _FINISHED

    def close(self) -> None:
        """Wait no more: a report raises TrialEnded."""
        self._closed = True
        self._become(_ENDED)

    def _hear(self, message: int) -> None:
        if message > _TURNS:
            self._become(message)
            return
        with self._changed:
            self._turns = _TURNS - message
            self._changed.notify_all()

    def _become(self, state: int) -> None:
        with self._changed:
            if self._state in (_FINISHED, _ENDED):
                return
            self._state = state
            self._step = max(self._step, state)
            self._changed.notify_all()

    def _listen(self) -> None:
        with suppress(OSError), self._connected() as connection:
            waiting = b""
            while data := connection.recv(4096):
                waiting += data
                whole = len(waiting) - len(waiting) % _MESSAGE.size
                for (message,) in _MESSAGE.iter_unpack(waiting[:whole]):
                    self._hear(message)
                waiting = waiting[whole:]
        self._become(_ENDED)  # rank 0 is gone

    def _connected(self) -> socket.socket:
        while True:  # rank 0 may not listen yet
            try:
                return socket.create_connection(self._address)
            except OSError:
                if self._closed:
                    raise
                time.sleep(RETRY_S)


class HeldPort:
    """A free port of this machine, which no other process gets until it is let go.

    It is bound, and nobody listens on it. A process that sets SO_REUSEADDR, as torch does, can listen on it all the
    same.
    """

    def __init__(self, host: str = "") -> None:
        """Hold a port of the interface with this address; "": of all interfaces."""
        self._socket = _bound(host, 0)
        self.number = int(self._socket.getsockname()[1])

    def let_go(self) -> None:
        """Let the port be anybody's."""
        self._socket.close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound to a port; 0: to a free one."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
