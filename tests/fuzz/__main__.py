"""``python -m tests.fuzz --minutes 10 [--seed N] [directories …]``: random inputs until the time is up."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Protocol

from tests.fuzz.archives import Archives
from tests.fuzz.command_lines import CommandLines
from tests.fuzz.directories import Directories
from tests.fuzz.outcome import Finding
from tests.fuzz.requests import Requests
from tests.fuzz.specs import Specs


class Target(Protocol):
    """One kind of input."""

    name: str

    def attempt(self, random: Random) -> str:
        """Try one input, and say what it was.

        Raises:
            Finding: It does not end as it should.
        """
        ...


TARGETS = {each.name: each for each in (Specs, CommandLines, Directories, Requests, Archives)}


def main() -> int:
    """Try random inputs; returns 1 if there were findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default: all")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, help="of the first input; the next ones follow")
    parser.add_argument("--count", type=int, help="inputs of each kind, instead of a time")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 10**9
    until = time.monotonic() + 60 * given.minutes
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch, contextlib.chdir(scratch):
        targets: list[Target] = [TARGETS[name](Path(scratch) / name) for name in given.targets or TARGETS]
        used: dict[str, float] = defaultdict(float)  # seconds, of which each kind gets as many
        while time.monotonic() < until if given.count is None else tried.total() < given.count * len(targets):
            target = min(targets, key=lambda each: used[each.name] if given.count is None else tried[each.name])
            tried[target.name] += 1
            began = time.monotonic()
            try:
                target.attempt(Random(seed))
            except Finding as error:
                found[error.cause] += 1
                if found[error.cause] == 1:
                    print(f"\n{target.name} --seed {seed}: {error}", flush=True)
            used[target.name] += time.monotonic() - began
            seed += 1
        os.chdir("/")
    print(f"\n{', '.join(f'{count} {name}' for name, count in tried.items())} tried; {found.total()} findings")
    for cause, count in found.most_common():
        print(f"  {count:4}  {cause}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
