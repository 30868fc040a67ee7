"""Measures how soon searches find good configurations: `make bench-search`, or parts of it.

    python -m benchmarks.search run --strategies auto ray:2:3 --workers 8 --seeds 3
    python -m benchmarks.search report
    python -m benchmarks.search references

`run` continues where it was interrupted: cells that the file has already are not run again. Without `--out` it writes
build/search.jsonl.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.search.cells import Cell, families, record, recorded, run_cell
from benchmarks.search.compare import groups, table
from benchmarks.search.strategies import PEERS, STRATEGIES, strategy_named
from benchmarks.search.tasks import Family, record_references

OUT = Path("build/search.jsonl")
AGAINST = ("random", "ray:1:4", "optuna", "kde+ray:2:3", "ray:2:3")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="simulate cells and report them")
    run.add_argument(
        "--strategies", nargs="+", default=["auto", *PEERS], help=f"{', '.join(STRATEGIES)}, or label={{search: …}}"
    )
    run.add_argument("--families", nargs="+", default=list(families()), choices=list(families()))
    run.add_argument("--tasks", nargs="+", help="only these")
    run.add_argument("--workers", type=int, nargs="+", default=[8, 32, 1])
    run.add_argument("--seeds", type=int, default=10)
    run.add_argument("--noise", type=float, default=0.0, help="standard deviation, in points of the family")
    run.add_argument("--processes", type=int, default=os.cpu_count())
    run.add_argument("--out", type=Path, default=OUT)
    run.set_defaults(do=_run)
    report = commands.add_parser("report", help="print the tables of recorded cells")
    report.add_argument("files", type=Path, nargs="*", default=[OUT])
    report.add_argument("--against", nargs="+", default=list(AGAINST), help="the last one is that of the worst task")
    report.set_defaults(do=_report)
    again = commands.add_parser("references", help="compute targets and budgets anew")
    again.add_argument("families", nargs="*", default=list(families()))
    again.set_defaults(do=_references)
    options = parser.parse_args()
    options.do(options)


def _run(options: argparse.Namespace) -> None:
    made: Mapping[str, Callable[[], Family]] = families()
    for name in options.strategies:
        strategy_named(name)
    wanted = [
        Cell(family=family, task=task, workers=workers, seed=seed, noise=options.noise, strategy=strategy)
        for seed, workers, family in itertools.product(range(options.seeds), options.workers, options.families)
        if options.noise == 0 or made[family]().point
        for task in made[family]().tasks
        if options.tasks is None or task in options.tasks
        for strategy in options.strategies
    ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    done = recorded([options.out])
    left = [cell for cell in wanted if cell not in done]
    print(f"{len(wanted)} cells, {len(left)} to run", file=sys.stderr)
    os.environ["OMP_NUM_THREADS"] = "1"
    random.Random(0).shuffle(left)  # so that what there is can be compared at any time
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        running = {pool.submit(run_cell, cell): cell for cell in left}
        for number, ended in enumerate(as_completed(running), 1):
            record(options.out, running[ended], ended.result())
            if number % 20 == 0 or number == len(left):
                print(f"{number} of {len(left)}", file=sys.stderr, flush=True)
    _print_tables([options.out], AGAINST)


def _report(options: argparse.Namespace) -> None:
    _print_tables(options.files, options.against)


def _print_tables(files: Sequence[Path], against: Sequence[str]) -> None:
    for group in groups(recorded(files)):
        noise = f", noise of {group.noise:g} points" if group.noise else ""
        print(f"\n{group.family}, {group.workers} workers{noise}\n")
        rows = table(group, against)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _references(options: argparse.Namespace) -> None:
    made = families()
    record_references([made[name]() for name in options.families])


if __name__ == "__main__":
    main()
