"""Runs the cases of a benchmark in turn, each in its own process, and records the results.

`python -m benchmarks.no_op_trials` measures; `--case ours` runs one case in this process and prints its figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "results"
KEPT = 3
"""Records kept per question; a run deletes older ones."""

PACKAGES = ("sweep-orchestrator", "ray", "torch", "pyarrow", "pandas", "optuna", "numpy")

Figures = Mapping[str, float]
"""The figures of one run, by name."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to do the work."""

    run: Callable[[], Figures]  # called once in a fresh process, in an empty working directory
    repeats: int = 5


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A comparison of figures: ours against a peer's, or against a target."""

    row: str  # of the table in docs/performance.md: "1", "4a"
    what: str
    figure: str
    unit: str = "s"
    ours: str = "ours"
    peer: str | None = None  # a case; None: compare with the target only
    peer_figure: str | None = None  # if the peer's figure has another name
    peer_name: str = ""  # as it is shown, by default that of the case
    more: bool = False  # whether higher is better
    target: float  # with a peer, the least ratio; without one, the highest figure (with ``more``, the lowest)
    digits: int = 3


@dataclass(frozen=True, kw_only=True)
class Question:
    """A benchmark: its cases and comparisons."""

    name: str  # of its module
    title: str
    cases: Mapping[str, Case]
    comparisons: Sequence[Comparison]


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one comparison."""

    row: str
    what: str
    unit: str
    ours: list[float]
    peer: list[float] = field(default_factory=list)
    peer_name: str = ""
    ratio: float | None = None  # of the medians; higher is better
    target: float
    met: bool
    more: bool = False
    digits: int = 3


def main(question: Question) -> None:
    """The command line of a benchmark."""
    parser = argparse.ArgumentParser(description=question.title)
    parser.add_argument(
        "--case", choices=list(question.cases), help="Run this case once, in this process, and print its figures."
    )
    parser.add_argument("--repeats", type=int, help="Runs of each case; by default, the number in the benchmark.")
    options = parser.parse_args()
    if options.case:
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
            os.chdir(directory)
            print(json.dumps(dict(question.cases[options.case].run())), flush=True)
            os.chdir("/")
        return
    began = time.time()
    runs = _measure(question, options.repeats)
    results = [_answer(comparison, runs) for comparison in question.comparisons]
    for result in results:
        print(_line(result))
    _write(question, runs, results, began)


def _measure(question: Question, repeats: int | None) -> dict[str, list[Figures]]:
    """Run the cases alternately, so that drift of the machine affects all of them."""
    wanted = {name: repeats or case.repeats for name, case in question.cases.items()}
    runs: dict[str, list[Figures]] = {name: [] for name in question.cases}
    for turn in range(max(wanted.values())):
        for name in question.cases:
            if turn < wanted[name]:
                figures = in_fresh_process(f"benchmarks.{question.name}", "--case", name)
                runs[name].append(figures)
                shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
                print(f"{question.name}  {name} {turn + 1}/{wanted[name]}: {shown}", file=sys.stderr, flush=True)
    return runs


def in_fresh_process(module: str, *arguments: str) -> Figures:
    """Run a module in its own process, and return the figures in its last line of output."""
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}")
    figures: Figures = json.loads(ran.stdout.strip().rpartition("\n")[2])
    return figures


def _answer(comparison: Comparison, runs: Mapping[str, Sequence[Figures]]) -> Result:
    ours = [run[comparison.figure] for run in runs[comparison.ours]]
    peer: list[float] = []
    ratio = None
    if comparison.peer is not None:
        peer = [run[comparison.peer_figure or comparison.figure] for run in runs[comparison.peer]]
        ratio = statistics.median(peer) / statistics.median(ours)
        ratio = 1 / ratio if comparison.more else ratio
        met = ratio >= comparison.target
    else:
        middle = statistics.median(ours)
        met = middle >= comparison.target if comparison.more else middle <= comparison.target
    return Result(
        row=comparison.row,
        what=comparison.what,
        unit=comparison.unit,
        ours=ours,
        peer=peer,
        peer_name=comparison.peer_name or comparison.peer or "",
        ratio=ratio,
        target=comparison.target,
        met=met,
        more=comparison.more,
        digits=comparison.digits,
    )


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The median, and the minimum and maximum in brackets."""
    low, middle, high = (short(value, digits) for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def short(value: float, digits: int = 3) -> str:
    """A number with this many significant digits; from 1000 on, as an integer."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def _line(result: Result) -> str:
    theirs = f"{result.peer_name} {spread(result.peer, result.digits)}, " if result.peer else ""
    asked = f"{'≥' if result.ratio is not None or result.more else '≤'} {result.target:g}"
    got = f"{result.ratio:.3g}×, target {asked}×" if result.ratio is not None else f"target {asked}"
    verdict = "met" if result.met else "NOT MET"
    ours = spread(result.ours, result.digits)
    return f"{result.row:>3}  {result.what}: {theirs}ours {ours} {result.unit}: {got}: {verdict}"


def _write(question: Question, runs: Mapping[str, Sequence[Figures]], results: Sequence[Result], began: float) -> None:
    date = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime(began))
    record = {
        "question": question.name,
        "title": question.title,
        "date": date,
        "command": f"python -m benchmarks.{question.name}",
        "seconds": round(time.time() - began),
        "machine": {
            "cpus": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.system(),
            "processor": _processor(),
            "python": platform.python_version(),
        },
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "results": [asdict(result) for result in results],
        "runs": {name: list(map(dict, figures)) for name, figures in runs.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{question.name}-{date}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {path.relative_to(RESULTS.parents[1])}", file=sys.stderr)
    prune(question.name)


def prune(question: str) -> None:
    """Delete all but the newest records of a question."""
    for path in sorted(RESULTS.glob(f"{question}-????-??-??-??????.json"))[:-KEPT]:
        path.unlink()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
