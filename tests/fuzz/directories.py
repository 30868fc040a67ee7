"""Damaged directories of sweeps, read by every command that reads records, and by a resume."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orchestrator
from cluster.engine import Embedded
from cluster.local.watch import LastWords
from orchestrator.cli import requests
from orchestrator.control import lease
from orchestrator.driver.resume import resume
from orchestrator.errors import SweepError
from orchestrator.records.paths import SweepPaths
from tests.cli.recorded import record
from tests.fuzz import mutate
from tests.fuzz.outcome import Finding, call, command

READING = (
    ("ls",),
    ("ls", "--tree"),
    ("ls", "--json"),
    *(("show", "hurt", *more) for more in (
        (), ("--json",), ("--diagnosis",), ("--failures",), ("--importance",), ("--ledger",), ("--events",),
        ("--repeats",), ("--trial", "0"), ("--trial", "7"), ("--format", "csv"), ("--ledger", "--json"),
        ("--events", "--json"),
    )),
    ("best", "hurt"),
    ("best", "hurt", "--json"),
    ("logs", "hurt", "0"),
    ("next", "hurt", "-o", "next.yaml"),
    ("report", "hurt", "--output", "report.html"),
    ("compare", "hurt", "sound"),
    ("compare", "sound", "hurt", "--json"),
    ("export", "hurt", "--to", "csv", "--output", "exported"),
    ("simulate", "hurt", "--set", "search.method=random", "--workers", "2"),
    ("clean", "--dry-run"),
    ("verify", "hurt"),
    ("verify", "hurt", "--json"),
    ("verify", "hurt", "--repair"),
    ("clean", "hurt"),
    ("clean", "hurt", "--keep", "none"),
    ("stop", "hurt"),
    ("stop", "hurt", "--trial", "0"),
    ("add", "hurt", "--config", "{lr: 0.001, kind: good, sizes: [8]}"),
)  # fmt: skip
"""The command lines."""

REMAKES = ("next.yaml", "report.html", "exported")

TRAIN = """
def train(config, trial):
    for step in range(1, 10):
        trial.report(step=step, loss=config["lr"] + 1 / step)
"""


@dataclass(frozen=True, kw_only=True)
class NoRay(Embedded):
    """This machine, without Ray: a resume ends where it would start it."""

    def running(self, stuck: LastWords | None = None) -> AbstractContextManager[None]:
        raise SweepError("Ray would start here")


class Directories:
    """Recorded sweeps with some damage."""

    name = "directories"

    def __init__(self, scratch: Path) -> None:
        """Record a whole sweep, and one that was ended early, in a scratch directory."""
        requests.PATIENCE_S = 1.0
        lease.Lease.acquire.__func__.__kwdefaults__["patience"] = 1.0  # type: ignore[attr-defined]
        self._scratch = scratch
        self._masters = []
        shutil.rmtree(scratch, ignore_errors=True)
        for number, (halt, changes) in enumerate([(None, {}), (5, {}), (None, {"scheduler": {"method": "none"}})]):
            home = scratch / f"master{number}"
            home.mkdir(parents=True)
            (home / "train.py").write_text(TRAIN)
            paths = record(home, halt_after=halt, name="hurt", trial={"isolation": "reuse"}, **changes)
            _more_files(paths)
            self._masters.append(paths.root)

    def attempt(self, random: Random) -> str:
        """Damage a sweep, and use it."""
        work, outside = self._scratch / "work", self._scratch / "outside"
        for each in (work, outside):
            shutil.rmtree(each, ignore_errors=True)
        results = work / "results"
        results.mkdir(parents=True)
        (outside / "7").mkdir(parents=True)
        (outside / "7" / "precious.pt").write_text("precious")
        (outside / "precious").write_text("precious")
        shutil.copytree(self._masters[0], results / "sound")
        shutil.copytree(random.choice(self._masters), results / "hurt")
        shutil.copy(self._masters[0].parent / "train.py", results / "train.py")
        edit(results / "sound" / "sweep.json", name="sound", directory=str(results))
        edit(results / "hurt" / "sweep.json", directory=str(results))
        what = damage(random, results / "hurt", outside)
        os.chdir(work)
        os.environ.pop("SWEEP_RESULTS", None)
        before = _content(outside), _content(results / "sound")
        try:
            self._use(random, results)
            if (_content(outside), _content(results / "sound")) != before:
                raise Finding("something else was changed", "writes outside")
        except Finding as error:
            raise Finding(f"{what}\n{error}", error.cause) from error
        return what

    def _use(self, random: Random, results: Path) -> None:
        paths = SweepPaths(results / "hurt")
        there = paths.info.is_file() or paths.remote.is_file()
        listed = command("ls")
        if listed.code or "sound" not in listed.out or (there and "hurt" not in listed.out):
            raise Finding(f"ls: {listed}", "ls leaves out a sweep")
        for words in random.sample(READING, 6):
            for name in REMAKES:
                path = Path(name)
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            command(*words)
        for read in (_load, lambda: resume(paths, engine=NoRay())):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                call(getattr(read, "__name__", "read"), read)


def _load() -> None:
    loaded = orchestrator.load("results/hurt")
    repr(loaded)
    for name in ("trials", "metrics", "events", "best"):
        getattr(loaded, name, None)


def damage(random: Random, root: Path, outside: Path) -> str:
    """Damage the directory of a sweep in one way, seldom in two; returns how."""
    done = [_damage(random, root, outside) for _ in range(random.choice([1, 1, 1, 2]))]
    return "; ".join(done)


def _damage(random: Random, root: Path, outside: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    of_kind = {
        "json": [path for path in files if path.suffix == ".json" and path.parent == root],
        "parquet": [path for path in files if path.suffix == ".parquet"],
    }
    kind = random.choice(["json", "json", "parquet", "parquet", "parquet", "raw", "tree", "link"])
    change: Callable[[Random, Path], str]
    try:
        if of_kind.get(kind):
            change = mutate.json_file if kind == "json" else mutate.table_file
            return change(random, random.choice(of_kind[kind]))
        if kind == "tree":
            return mutate.tree(random, root)
        if kind == "link":
            return _link(random, root, outside)
        return mutate.raw_file(random, random.choice(files))
    except (OSError, ValueError, StopIteration, LookupError) as error:  # two changes that do not go together
        return f"nothing ({error!r})"


def _link(random: Random, root: Path, outside: Path) -> str:
    """Make a part of the sweep lead out of it."""
    name = random.choice([
        "checkpoints", "checkpoints/0", "checkpoints/7", ".lease.json.lock", ".lease.json.tmp", "lease.json", "logs",
        "requests", "metrics", "events", "trials.parquet", ".trials.parquet.tmp", "sweep.json", ".sweep.json.tmp",
        "code", ".code.tmp", ".code.old", "journals", "metrics/.000000.parquet.tmp", "journals/0.jsonl",
    ])  # fmt: skip
    path = root / name
    path.parent.mkdir(exist_ok=True)
    target = outside / ("7" if name in ("checkpoints/0", "checkpoints/7") else "precious" if "." in name[1:] else "")
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)
    return f"{name} leads out of the sweep, to {target}"


def _more_files(paths: SweepPaths) -> None:
    """What a sweep has beside its records, in part left by a driver that was killed."""
    for trial in (0, 1, 2, 7):
        (paths.checkpoints(trial)).mkdir(parents=True)
        for name in ("best.pt", "last.pt", ".last.pt.1234abcd"):
            (paths.checkpoints(trial) / name).write_bytes(b"no checkpoint")
    paths.log(0).parent.mkdir(exist_ok=True)
    paths.log(0).write_text("hello\n")
    paths.journals.mkdir()
    paths.journal(1).write_text("[[1,2,3,{}]]\n")
    paths.earlier.write_text("[]")
    paths.requests.mkdir()
    paths.spec.write_text("trainable: train.py:train\n")
    gone = {"host": "h", "place": "x", "pid": 1, "process_started": 1.0, "started": 1.0, "counter": 3}
    gone |= {"place": lease._place(), "pid": 2**22 - 1}
    paths.lease.write_text(json.dumps(gone))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _content(root: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "lease" not in path.name
    }
