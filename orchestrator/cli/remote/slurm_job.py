"""Runs a sweep as a Slurm job: submits the job, and follows it unless detached."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.queue import Standing
from cluster.launchers.slurm import JobFiles
from orchestrator.cli import json_output
from orchestrator.cli.formats import say, say_log
from orchestrator.cli.options import typed
from orchestrator.cli.run_options import RunOptions
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.sites.profiles import Site
from orchestrator.sites.slurm import submit_launch, submit_resume
from orchestrator.spec.source import Source

LOOK_S = 2.0
"""Seconds between two queries to Slurm; administrators object to more."""


def launch_queued(source: Source, site: Site, run: RunOptions) -> SweepPaths:
    """Queue a new sweep, and follow its job unless detached.

    Returns:
        The sweep's files.

    Raises:
        SweepError: As ``sites.slurm.submit_launch``; or the job did not complete.
    """
    paths, job = submit_launch(source, site, results=run.results, nodes=run.nodes, arguments=run.words())
    if paths.name != source.name:
        say(f"{source.name} exists, so this one is {paths.name}")
    _after(paths, job, run)
    return paths


def resume_queued(
    paths: SweepPaths, site: Site, run: RunOptions, *, arguments: Sequence[str], once: Sequence[str]
) -> None:
    """Queue a job that resumes a sweep, and follow it unless detached.

    Args:
        paths: The sweep's files.
        site: The site profile.
        run: The run options.
        arguments: Further words for every resume in the job.
        once: Further words for the first resume only.

    Raises:
        SweepError: As ``sites.slurm.submit_resume``; or the job did not complete.
    """
    words = [*arguments, *run.words()]
    _after(paths, submit_resume(paths, site, nodes=run.nodes, arguments=words, once=once), run)


def _after(paths: SweepPaths, job: str, run: RunOptions) -> None:
    files = JobFiles(paths.slurm)
    say(f"{paths.name} is job {job}; its output goes to {files.output}")
    words = typed(paths)
    hint = f"sweep watch {words}; sweep show {words}; sweep stop {words}"
    if run.detach:
        if run.as_json:
            json_output.event(
                "submitted", sweep=paths.name, place=run.on, job=job, directory=str(paths.root), status="PENDING"
            )
        else:
            say(f"next: {hint}")
        return
    output = _Tail(files.output, as_json=run.as_json)
    try:
        ended = _follow(output, job)
    except KeyboardInterrupt:
        say(f"job {job} keeps running; follow it with: {hint}")
        raise
    except ClusterError as error:
        raise SweepError(f"{error}; job {job} keeps running; follow it with: {hint}") from error
    if output.error is not None:
        json_output.error(output.error)
    if ended.state == "COMPLETED":
        return
    if ended.state == "FAILED" and ended.exit_code:
        raise typer.Exit(ended.exit_code)  # the exit code of the sweep, which has printed why
    raise SweepError(f"{ended.sentence()}; recorded results are kept; continue with: sweep resume {words}")


def _follow(output: _Tail, job: str) -> Standing:
    """Print the output of the job, and what it waits for, until it has ended."""
    said = ""
    while True:
        found = queue.look(job)
        output.show()
        if found.ended:
            return found
        sentence = found.sentence()
        if found.waits and sentence != said:
            say(f"{sentence} …")
        said = sentence
        time.sleep(LOOK_S)


class _Tail:
    """Prints what is appended to a file.

    Attributes:
        error: The error that the job reported in JSON, if any.
    """

    def __init__(self, path: Path, *, as_json: bool) -> None:
        self.error: dict[str, Any] | None = None
        self._path = path
        self._as_json = as_json
        self._at = path.stat().st_size if path.exists() else 0
        self._begun = ""  # the beginning of a line that is not complete

    def show(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read()
        except FileNotFoundError:
            return
        self._at += len(new)
        text = new.decode("utf-8", "replace")
        if not self._as_json:
            say_log(text)
            return
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self.error = json_output.relay(line) or self.error
