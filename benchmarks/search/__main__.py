"""Measures how soon searches find good configurations: `make bench-search`, or parts of it.

    python -m benchmarks.search run --strategies auto ray:2:3 --workers 8 --seeds 3
    python -m benchmarks.search report
    python -m benchmarks.search page build/search.jsonl
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
from benchmarks.search.compare import against, groups, overview
from benchmarks.search.page import PAGE, keep, write
from benchmarks.search.strategies import PEERS, STRATEGIES, strategy_named
from benchmarks.search.tasks import Family, record_references

OUT = Path("build/search.jsonl")
OURS, BASE = "auto", "ray:2:3"


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
    report.add_argument("--ours", default=OURS, help="the strategy that is compared with each other one")
    report.add_argument("--base", default=BASE, help="the strategy that each is compared with")
    report.set_defaults(do=_report)
    page = commands.add_parser("page", help="keep cells in benchmarks/results, and write the tables of docs/search.md")
    page.add_argument("files", type=Path, nargs="*", help="Default: the cells that are kept already.")
    page.add_argument("--check", action="store_true", help="only tell whether the tables are current")
    page.set_defaults(do=_page)
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
    _print_tables([options.out], OURS, BASE)


def _report(options: argparse.Namespace) -> None:
    _print_tables(options.files, options.ours, options.base)


def _print_tables(files: Sequence[Path], ours: str, base: str) -> None:
    for group in groups(recorded(files)):
        print(f"\n{group.title}")
        for rows in (overview(group, base), against(group, ours)):
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            print()
            for row in rows:
                print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _page(options: argparse.Namespace) -> None:
    if options.files:
        keep(recorded(options.files))
    if not write(check=options.check):
        raise SystemExit(f"{PAGE} is out of date; run python -m benchmarks.search page")


def _references(options: argparse.Namespace) -> None:
    made = families()
    record_references([made[name]() for name in options.families])


if __name__ == "__main__":
    main()
