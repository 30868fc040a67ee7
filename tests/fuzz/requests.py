"""Files in the directory of requests to a running sweep, as its driver takes them; without Ray."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.core.build import build_sweep
from orchestrator.driver.commands import Commands
from orchestrator.driver.signals import Signals
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import spec
from tests.fuzz import mutate
from tests.fuzz.outcome import Finding, call

KINDS = ("stop", "halt", "dismiss", "add", "concurrency")


class Requests:
    """A sweep that runs, and what others put into its directory."""

    name = "requests"

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def attempt(self, random: Random) -> str:
        """Put a file there, and let the driver take it."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        paths, outside = SweepPaths(self._scratch / "s"), self._scratch / "outside"
        outside.mkdir(parents=True)
        (outside / "precious.json").write_text('{"kind": "stop"}')
        paths.root.mkdir()
        checked = spec()
        sweep, commands = build_sweep(checked, None), Commands(paths, Signals(), None, checked.parameter_space())
        sweep.ask(0.0)
        what, stops = _file(random, paths.requests, outside)

        def run() -> None:
            for event in commands.poll(1.0):
                sweep.on(event)
            sweep.ask(2.0)

        try:
            call(what, run)
            if commands.asked_to_end and not stops:
                raise Finding("it ended the sweep", "ends the sweep")
            if commands.concurrency is not None and commands.concurrency < 1:
                raise Finding("no trial may run", "concurrency")
            if not (outside / "precious.json").exists():
                raise Finding("something outside is gone", "removes outside")
        except Finding as error:
            raise Finding(f"{what}\n{error}", error.cause) from error
        return what


def _file(random: Random, directory: Path, outside: Path) -> tuple[str, bool]:
    """Make a file; returns what it is, and whether it asks the sweep to stop."""
    if random.random() < 0.1:
        directory.symlink_to(outside)
        return "the directory leads elsewhere", False
    directory.mkdir()
    path = directory / random.choice(["1.json", "a.json", "ä.json", "\udcff.json", "-.json", "..json"])
    if random.random() < 0.3:
        special = random.choice(["fifo", "directory", "zero", "link", "nowhere", "large", "other"])
        match special:
            case "fifo":
                os.mkfifo(path)
            case "directory":
                path.mkdir()
            case "zero":
                path.symlink_to("/dev/zero")
            case "link":
                path.symlink_to(outside / "precious.json")
            case "nowhere":
                path.symlink_to("nowhere")
            case "large":
                path.write_text('{"kind": "stop", "by": "' + "x" * 10**6 + '"}')
            case _:
                path.write_text('{"kind": "stop"}')
                os.chown(path, 12345, 12345) if os.geteuid() == 0 else path.unlink()
        return special, False
    request: Any = {
        "kind": random.choice(KINDS),
        "trial": 0,
        "config": {"lr": 1e-3, "kind": "good", "sizes": [8]},
        "concurrency": 2,
        "by": "fuzz",
    }
    for _ in range(random.randrange(3)):
        request = mutate.json_value(random, request)
    text = random.choice([json.dumps(request)] * 9 + [mutate.deep(), '{"x":' * 5000, "", "{"])
    path.write_text(text)
    return text[:300], isinstance(request, dict) and request.get("kind") in ("stop", "halt")
