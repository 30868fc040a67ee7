"""A trial draws the same numbers in a fresh process and in one that has trained before."""

from __future__ import annotations

import subprocess
import sys

TRIAL = """
import random
from trainables.process.isolation import SharedProcess
isolation = SharedProcess()
for trial in range(2):
    isolation.prepare(seed=5, threads=1)
    import numpy, torch
    print(random.random(), numpy.random.rand(), torch.rand(1).item())
    isolation.restore()
"""


def test_what_the_trial_imports_itself_is_seeded_too() -> None:
    run = subprocess.run([sys.executable, "-c", TRIAL], capture_output=True, text=True, check=True)
    first, second = run.stdout.splitlines()
    assert first == second
