"""`--on slurm` and site profiles: queues a sweep, and follows its job until it ends, or leaves it to itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import typer

from cluster.errors import ClusterError
from cluster.launchers import queue
from cluster.launchers.queue import Standing
from cluster.launchers.slurm import JobFiles
from orchestrator.cli.formats import say
from orchestrator.cli.run_options import RunOptions
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from orchestrator.sites.profiles import Site
from orchestrator.sites.slurm import submit_launch, submit_resume
from orchestrator.spec.source import Source

LOOK_S = 2.0
"""Seconds between two questions to Slurm: its administrators frown on more."""


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
    _after(paths, job, run.detach)
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
    _after(paths, submit_resume(paths, site, nodes=run.nodes, arguments=words, once=once), run.detach)


def _after(paths: SweepPaths, job: str, detach: bool) -> None:
    files = JobFiles(paths.slurm)
    say(f"{paths.name} is job {job}; what it says goes to {files.output}")
    where = "" if paths.root.parent == Path("results").resolve() else f" --results {paths.root.parent}"
    hint = f"sweep show {paths.name}{where}; sweep stop {paths.name}{where}"
    if detach:
        say(f"next: {hint}")
        return
    try:
        ended = _follow(files, job)
    except KeyboardInterrupt:
        say(f"job {job} goes on without you: {hint}")
        raise
    except ClusterError as error:
        raise SweepError(f"{error}; job {job} goes on without you: {hint}") from error
    if ended.state == "COMPLETED":
        return
    if ended.state == "FAILED" and ended.exit_code:
        raise typer.Exit(ended.exit_code)  # the sweep's own: it has said why
    raise SweepError(f"{ended.sentence()}; what is recorded stays, and sweep resume {paths.name}{where} goes on")


def _follow(files: JobFiles, job: str) -> Standing:
    """Say what the job says, and what it waits for, until it has ended."""
    output, said = _Tail(files.output), ""
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
    """What is appended to a file from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0

    def show(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read()
        except FileNotFoundError:
            return
        self._at += len(new)
        typer.echo(new.decode("utf-8", "replace"), nl=False, err=True)
