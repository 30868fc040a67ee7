"""Commands run on a cluster as Ray Jobs: given to its head over HTTP, followed, and stopped.

A job goes on when whoever submitted it has gone. Only the Jobs API is relied on: neither a shared file system, nor
that this machine can reach anything but that one address.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from cluster.errors import ClusterError, UnreachableError
from cluster.ray_private import wording
from cluster.ray_private.environment import set_for_ray
from cluster.ray_private.jobs_client import server_version, silence_uploads

OLDEST = (2, 60)
"""The Ray that a cluster must have at least."""

REACH_S = 10.0
LOOK_S = 0.5
GONE_S = 60.0
"""Seconds for which a connection that broke is sought again."""

STOP_S = 24 * 3600
"""Seconds that a job has, once asked to stop, before Ray kills it: whoever is impatient asks the job itself."""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a job is."""

    word: str  # Ray's: PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED; LOST: the cluster does not know it
    message: str = ""  # why it failed, if the command could not even be started
    exit_code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.word not in ("PENDING", "RUNNING")


class Jobs:
    """The jobs of one cluster. ``Jobs.reach`` makes one."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self.address = address

    @classmethod
    def reach(cls, address: str, *, patience: float = REACH_S) -> Jobs:
        """Find the Jobs API, and whether it takes our token.

        Args:
            address: As http(s)://host:port.
            patience: Seconds to wait for an answer.

        Raises:
            UnreachableError: Nothing answers.
            ClusterError: It wants a token or another one, is too old, or is none; or this machine lacks a part of Ray.
        """
        if "@" in address:
            raise ClusterError("no user name and password in the address, please: it is kept with the sweep")
        _check_listens(address, patience)
        if find_spec("aiohttp") is None:
            raise ClusterError(
                "Ray Jobs need a part of Ray that is not installed here: pip install 'sweep-orchestrator[cluster]'"
            )
        set_for_ray()
        _use_token()
        from ray.job_submission import JobSubmissionClient

        silence_uploads()
        before = os.environ.pop("RAY_ADDRESS", None), os.environ.pop("RAY_API_SERVER_ADDRESS", None)
        try:
            client = _asked(address, lambda: JobSubmissionClient(address))
        finally:  # they would be preferred to the address given
            for name, value in zip(("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"), before, strict=True):
                if value is not None:
                    os.environ[name] = value
        version = server_version(client)
        if version and tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
            raise ClusterError(f"the cluster at {address} runs Ray {version}; {'.'.join(map(str, OLDEST))} is needed")
        return cls(client, address)

    def submit(
        self,
        command: str,
        *,
        job: str,
        package: Path,
        runtime_env: Mapping[str, Any] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Have a command run on the head, in an unpacked package.

        Args:
            command: For a shell.
            job: The id that it gets; none that the cluster has had before.
            package: A zip. It is unpacked on each node where the job runs something, put on PYTHONPATH, and the
                command starts in it.
            runtime_env: What else Ray is to bring there, as it describes it. Everybody who may use the cluster can
                read it.
            about: What the list of jobs says of it.

        Raises:
            ClusterError: The cluster refused, or went away.
        """
        more = dict(runtime_env or {})
        whole = {
            **more,
            "working_dir": str(package),
            "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_S), **more.get("env_vars", {})},
        }
        self._ask(
            lambda: self._client.submit_job(
                entrypoint=command, submission_id=job, runtime_env=whole, metadata=dict(about or {})
            )
        )

    def status(self, job: str) -> Status:
        """How a job is now."""
        try:
            details = self._ask(lambda: self._client.get_job_info(job))
        except ClusterError as error:
            if wording.unknown_job(str(error)):
                return Status(word="LOST", message=f"the cluster at {self.address} does not know it any more")
            raise
        message = (details.message or "").strip()
        return Status(
            word=str(details.status.value),
            message="" if details.driver_exit_code is not None else message,
            exit_code=details.driver_exit_code,
        )

    def output(self, job: str) -> str:
        """All that the command has printed so far."""
        return wording.without_rays_lines(str(self._ask(lambda: self._client.get_job_logs(job))))

    def follow(self, job: str) -> Iterator[str]:
        """What the command prints, from its beginning, in pieces as they come; ends with the job.

        Raises:
            ClusterError: The cluster does not answer any more.
        """
        from aiohttp import ClientError

        seen = 0  # characters that were handed out before the connection broke
        lost_at: float | None = None
        with asyncio.Runner() as runner:  # it ends the waiting in order on Ctrl-C, too
            while True:
                stream: AsyncGenerator[str, None] = self._client.tail_job_logs(job)
                at = 0
                try:
                    while (piece := runner.run(_next(stream))) is not None:
                        lost_at = None
                        piece = wording.without_rays_lines(piece)
                        fresh, at = piece[max(0, seen - at) :], at + len(piece)
                        seen = max(seen, at)
                        if fresh:
                            yield fresh
                    return
                except (
                    ClientError,
                    OSError,
                    RuntimeError,
                ) as error:  # the last is how Ray tells of a broken connection
                    lost_at = lost_at or time.monotonic()
                    if time.monotonic() - lost_at > GONE_S:
                        raise UnreachableError(f"the cluster at {self.address} does not answer any more") from error
                    time.sleep(LOOK_S)
                finally:
                    runner.run(stream.aclose())

    def ended(self, job: str) -> Status:
        """How a job ended; waits for it."""
        while not (status := self.status(job)).ended:
            time.sleep(LOOK_S)
        return status

    def stop(self, job: str) -> None:
        """Ask it to stop, by SIGTERM; nothing happens if it has ended."""
        self._ask(lambda: self._client.stop_job(job))

    def forget(self, job: str) -> None:
        """Take an ended job off the cluster's list."""
        with suppress(ClusterError):
            self._ask(lambda: self._client.delete_job(job))

    def _ask(self, question: Callable[[], _T]) -> _T:
        return _asked(self.address, question)


async def _next(stream: AsyncGenerator[str, None]) -> str | None:
    return await anext(stream, None)


def _asked(address: str, question: Callable[[], _T]) -> _T:
    """The answer; what went wrong as a sentence."""
    import requests
    from ray.exceptions import AuthenticationError

    try:
        return question()
    except AuthenticationError as error:
        given = "it takes another token than ours" if wording.wrong_token(str(error)) else "it wants a token"
        raise ClusterError(
            f"the cluster at {address} refuses us: {given}. Ray looks for one in RAY_AUTH_TOKEN, in the file that "
            "RAY_AUTH_TOKEN_PATH names, and in ~/.ray/auth_token"
        ) from None
    except (ConnectionError, requests.ConnectionError, requests.Timeout) as error:
        raise UnreachableError(f"nothing answers at {address}") from error
    except (RuntimeError, ValueError, requests.RequestException) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1]}"
        raise ClusterError(f"the cluster at {address} cannot do it: {said}") from error


def _check_listens(address: str, patience: float) -> None:
    """Ray itself would wait for minutes. Behind a proxy only the proxy can be reached, and it answers for itself."""
    url = urllib.parse.urlsplit(address)
    if url.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(url.hostname or ""):
        return
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), timeout=patience).close()
    except (OSError, ValueError) as error:
        late = isinstance(error, TimeoutError)
        why = f"no answer within {patience:g} s" if late else getattr(error, "strerror", None) or str(error)
        raise UnreachableError(f"nothing answers at {address}: {why}") from error


def _use_token() -> None:
    """Present a token if there is one: left alone, Ray does so only where RAY_AUTH_MODE says it."""
    home = Path.home() / ".ray" / "auth_token"
    if any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")) or home.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
