"""Commands that run on a cluster as Ray Jobs: submitted to its head over HTTP, followed, and stopped.

A job keeps running when whoever submitted it has gone. Only the Jobs API is needed: no shared file system, and no
connection from this machine to anything but that one address.
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
from cluster.ray_private.environment import for_a_job, set_for_ray
from cluster.ray_private.jobs_client import server_version, silence_uploads
from cluster.token import keep_private, token_file

OLDEST = (2, 60)
"""The oldest Ray that a cluster may run."""

REACH_S = 10.0
LOOK_S = 0.5
GONE_S = 60.0
"""Seconds for which a broken connection is retried."""

STOP_S = 24 * 3600
"""Seconds that a job has to stop before Ray kills it: the job itself decides how long stopping takes."""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a job."""

    word: str  # Ray's: PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED; or LOST: the cluster does not know the job
    message: str = ""  # why the command could not be started
    exit_code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self.word not in ("PENDING", "RUNNING")


class Jobs:
    """The jobs of one cluster; made by ``Jobs.reach``."""

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self.address = address

    @classmethod
    def reach(cls, address: str, *, patience: float = REACH_S) -> Jobs:
        """Connect to a Jobs API, and check that it accepts our token.

        Args:
            address: As http(s)://host:port.
            patience: Seconds to wait for an answer.

        Raises:
            UnreachableError: Nothing answers.
            ClusterError: The token is missing or wrong, the cluster is too old, or this is no Jobs API; or a part of
                Ray is not installed here.
        """
        if "@" in address:
            raise ClusterError("the address must not contain a user name or password: the sweep's records keep it")
        _check_listens(address, patience)
        if find_spec("aiohttp") is None:
            raise ClusterError(
                "Ray Jobs need an extra that is not installed: pip install 'sweep-orchestrator[cluster]'"
            )
        set_for_ray()
        _use_token()
        from ray.job_submission import JobSubmissionClient

        silence_uploads()
        before = os.environ.pop("RAY_ADDRESS", None), os.environ.pop("RAY_API_SERVER_ADDRESS", None)
        try:
            client = _asked(address, lambda: JobSubmissionClient(address))
        finally:  # Ray prefers them to the address that it is given
            for name, value in zip(("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"), before, strict=True):
                if value is not None:
                    os.environ[name] = value
        version = server_version(client)
        if version and tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
            raise ClusterError(
                f"the cluster at {address} runs Ray {version}; {'.'.join(map(str, OLDEST))} or newer is required"
            )
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
        """Run a command on the head, in an unpacked package.

        Args:
            command: A shell command.
            job: The job's id; one that the cluster has not had before.
            package: A zip, unpacked on each node where the job runs something, and put on PYTHONPATH there. The command
                starts in it.
            runtime_env: More of the job's runtime environment, as Ray describes it. Everybody who may use the cluster
                can read it.
            about: Metadata, shown in the cluster's list of jobs.

        Raises:
            ClusterError: The cluster refused, or stopped answering.
        """
        more = dict(runtime_env or {})
        whole = {
            **more,
            "working_dir": str(package),
            "env_vars": for_a_job(STOP_S) | more.get("env_vars", {}),
        }
        self._ask(
            lambda: self._client.submit_job(
                entrypoint=command, submission_id=job, runtime_env=whole, metadata=dict(about or {})
            )
        )

    def status(self, job: str) -> Status:
        """The state of a job now."""
        try:
            details = self._ask(lambda: self._client.get_job_info(job))
        except ClusterError as error:
            if wording.unknown_job(str(error)):
                return Status(word="LOST", message=f"the cluster at {self.address} no longer knows it")
            raise
        message = (details.message or "").strip()
        return Status(
            word=str(details.status.value),
            message="" if details.driver_exit_code is not None else message,
            exit_code=details.driver_exit_code,
        )

    def output(self, job: str) -> str:
        """Everything that the command has printed so far."""
        return wording.without_rays_lines(str(self._ask(lambda: self._client.get_job_logs(job))))

    def follow(self, job: str) -> Iterator[str]:
        """Everything that the command prints, in pieces as they come, until the job has ended.

        Raises:
            ClusterError: The cluster no longer answers.
        """
        from aiohttp import ClientError

        seen = 0  # characters yielded so far, also before the connection broke
        lost_at: float | None = None
        with asyncio.Runner() as runner:  # ends the waiting in order on Ctrl-C
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
                ) as error:  # Ray raises a RuntimeError where a connection breaks
                    lost_at = lost_at or time.monotonic()
                    if time.monotonic() - lost_at > GONE_S:
                        raise UnreachableError(f"the cluster at {self.address} no longer answers") from error
                    time.sleep(LOOK_S)
                finally:
                    runner.run(stream.aclose())

    def ended(self, job: str) -> Status:
        """Wait until a job has ended; its last state."""
        while not (status := self.status(job)).ended:
            time.sleep(LOOK_S)
        return status

    def stop(self, job: str) -> None:
        """Ask a job to stop, by SIGTERM; does nothing if the job has ended."""
        self._ask(lambda: self._client.stop_job(job))

    def forget(self, job: str) -> None:
        """Remove an ended job from the cluster's list."""
        with suppress(ClusterError):
            self._ask(lambda: self._client.delete_job(job))

    def _ask(self, question: Callable[[], _T]) -> _T:
        return _asked(self.address, question)


async def _next(stream: AsyncGenerator[str, None]) -> str | None:
    return await anext(stream, None)


def _asked(address: str, question: Callable[[], _T]) -> _T:
    """The answer to a question; what went wrong becomes a ClusterError."""
    import requests
    from ray.exceptions import AuthenticationError

    try:
        return question()
    except AuthenticationError as error:
        given = "it does not accept our token" if wording.wrong_token(str(error)) else "it requires a token"
        raise ClusterError(
            f"the cluster at {address} refused access: {given}. Ray looks for one in RAY_AUTH_TOKEN, in the file that "
            "RAY_AUTH_TOKEN_PATH names, and in ~/.ray/auth_token"
        ) from None
    except (ConnectionError, requests.ConnectionError, requests.Timeout) as error:
        raise UnreachableError(f"nothing answers at {address}") from error
    except (RuntimeError, ValueError, requests.RequestException) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1]}"
        raise ClusterError(f"the cluster at {address} failed: {said}") from error


def _check_listens(address: str, patience: float) -> None:
    """Fail at once where Ray would wait for minutes. Behind a proxy nothing is checked: only the proxy would answer."""
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
    """Present a token if there is one; by itself, Ray presents it only if RAY_AUTH_MODE says so."""
    keep_private()
    home = token_file()
    in_home = home is not None and home.is_file()
    if in_home or any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")):
        os.environ.setdefault("RAY_AUTH_MODE", "token")
