"""Command lines made of any options and values, in a directory with recorded sweeps; Ray never starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import webbrowser
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

import typer

from cluster.engine import Embedded, Joined
from cluster.errors import ClusterError
from orchestrator.cli import requests
from orchestrator.cli.app import app
from orchestrator.control import lease
from orchestrator.errors import SweepError
from tests.cli.recorded import record
from tests.fuzz.directories import edit
from tests.fuzz.outcome import Finding, command
from tests.fuzz.specs import EXAMPLE, SETS, SMALL, TRAIN

PATHS = ("s.yaml", "churn.yaml", "train.py", "new.yaml", "new/deep/x.yaml", "results", "results/whole", "data", "fifo",
         "nowhere/x", ".", "", "a" * 300, "table.csv", "/dev/null", "\udcff", "x\ny", "loop")  # fmt: skip
SWEEPS = ("whole", "halted", "results/whole", "whole/", "who", "", ".", "..", "../whole", "/", "s.yaml", "a" * 300,
          "\udcff", "\x1b[31m", "whole,halted", "*", "-")  # fmt: skip
NUMBERS = ("0", "1", "2", "7", "-1", "1000000", "99999999999999999999", "1.5", "nan", "inf", "-0", "1e400", "x", "",
           "0x10", "1_0", "٣", "0,1", "0-2", "all")  # fmt: skip
WORDS = ("", "x", "json", "text", "csv", "mlflow", "tensorboard", "loss", "lr", "kind", "random", "tpe", "failed",
         "best", "none", "local", "auto", "127.0.0.1:9", "http://127.0.0.1:9", "ray://127.0.0.1:9", "profile", "1h",
         "-1s", "{lr: 0.01, kind: good, sizes: [8]}", "{", "[]", "lr=1", "search.method=random",
         "space.lr={uniform: [0, 1]}", "\x1b]0;x\x07", "\udcff", "é" * 300, "a\nb", "--", "-", "=")  # fmt: skip
SOON_S = 40


class CommandLines:
    """Any command with any options."""

    name = "commands"

    def __init__(self, scratch: Path) -> None:
        """Record sweeps in a scratch directory."""
        requests.PATIENCE_S = 1.0
        lease.Lease.acquire.__func__.__kwdefaults__["patience"] = 1.0  # type: ignore[attr-defined]
        self._scratch = scratch
        self._commands: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
        master = scratch / "master"
        (master / "data").mkdir(parents=True)
        (master / "data" / "telco_churn.csv").write_text("churn,tenure\nyes,1\nno,2\n")
        (master / "s.yaml").write_text(SMALL)
        (master / "churn.yaml").write_text(EXAMPLE)
        (master / "table.csv").write_text("lr,kind\n0.1,good\n")
        for folder in (master, master / "results"):
            folder.mkdir(exist_ok=True)
            (folder / "train.py").write_text(TRAIN)
        for name, halt in (("whole", None), ("halted", 5)):
            record(master / "results", halt_after=halt, name=name, trial={"isolation": "reuse"})
        os.mkfifo(scratch / "fifo")
        (scratch / "loop").symlink_to("loop")

    def attempt(self, random: Random) -> str:
        """Run one."""
        work, outside = self._scratch / "work", self._scratch / "outside"
        for each in (work, outside):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(self._scratch / "master", work)
        for special in ("fifo", "loop"):
            (work / special).symlink_to(self._scratch / special)
        shutil.copytree(work / "results" / "whole", outside / "whole")
        for name in ("whole", "halted"):
            edit(work / "results" / name / "sweep.json", directory=str(work / "results"))
        os.chdir(work)
        for name in ("SWEEP_RESULTS", "SWEEP_ON"):
            os.environ.pop(name, None)
        before = _files(self._scratch)
        words = self._words(random)
        try:
            with _no_ray():
                command(*words, within_s=SOON_S)
            if (changed := before ^ _files(self._scratch)) and not _named(words):
                raise Finding(f"{sorted(changed)} changed", "writes outside")
        except Finding as error:
            raise Finding(f"{words!a}\n{error}", error.cause) from error
        return " ".join(words)

    def _words(self, random: Random) -> list[str]:
        name = random.choice(list(self._commands))
        words: list[str] = []
        for parameter in self._commands[name].params:
            if parameter.param_type_name == "argument":
                if random.random() < 0.9:
                    words += [_value(random, parameter) for _ in range(random.choice([1, 1, 1, 2]))]
            elif random.random() < 0.15 and parameter.name not in ("follow", "help"):
                words.append(random.choice([*parameter.opts, *parameter.secondary_opts]))
                if not parameter.is_flag:
                    words.append(_value(random, parameter))
        if random.random() < 0.05:
            words.insert(random.randrange(len(words) + 1), random.choice(WORDS))
        return [name, *words, *(["--no-ray"] if name == "doctor" else [])]


def _value(random: Random, parameter: Any) -> str:
    """A value for an option or an argument, most often of the kind that it takes."""
    if random.random() < 0.05:
        return random.choice((*PATHS, *SWEEPS, *NUMBERS, *WORDS))
    kind: type = parameter.type_descriptor.annotation
    name = str(parameter.name)
    if issubclass(kind, Enum):
        return str(random.choice(list(kind)).value)
    if name in ("sweep", "sweeps", "name"):
        return random.choice((*(("whole", "halted") * 8), *SWEEPS))
    if name == "set_":
        return f"{random.choice(SETS)}={random.choice((*WORDS, *NUMBERS))}"
    if name == "spec":
        return random.choice((*(("s.yaml", "churn.yaml") * 6), *PATHS))
    if name == "results":
        return random.choice(("results", "results", *PATHS))
    if issubclass(kind, Path):
        return random.choice(PATHS)
    if issubclass(kind, int | float):
        return random.choice(("0", "1", "2", "3", *NUMBERS))
    return random.choice(WORDS)


def _named(words: list[str]) -> bool:
    """Whether the command line names a place out of the directory itself."""
    return any(word.startswith(("/", "..")) or "fifo" in word for word in words)


def _files(scratch: Path) -> set[tuple[str, int, int]]:
    """What lies beside the directory that is used: names, sizes and times of change in ns."""
    found = set()
    for path in [scratch, *scratch.rglob("*")]:
        inside = path.relative_to(scratch).parts
        if inside[:1] not in ((), ("work",)):
            status = path.lstat()
            found.add((str(Path(*inside)), status.st_size, status.st_mtime_ns))
    return found


@contextlib.contextmanager
def _no_ray() -> Iterator[None]:
    """Commands end where Ray would start, or be joined, or a browser opened."""
    kept = Embedded.running, Joined.reached, webbrowser.open

    def starts(*_: Any, **__: Any) -> Any:
        raise SweepError("Ray would start here")

    def joins(*_: Any, **__: Any) -> Any:
        raise ClusterError("a cluster would be joined here")

    Embedded.running, Joined.reached = starts, joins  # type: ignore[method-assign]
    webbrowser.open = lambda *_, **__: True  # type: ignore[assignment]
    try:
        yield
    finally:
        Embedded.running, Joined.reached, webbrowser.open = kept  # type: ignore[method-assign]
