"""Runs every benchmark in turn and writes docs/performance.md and docs/scale.md: `make bench`."""

from __future__ import annotations

import subprocess
import sys
import time

QUESTIONS = (
    "no_op_trials",
    "short_trials",
    "utilisation",
    "long_sweep",
    "memory",
    "reports",
    "decisions",
    "disk",
    "reading",
    "resuming",
    "first_report",
    "commands",
    "checkpoints",
    "churn",
    "recording",
    "driver",
    "ranks",
)
"""All but `forecasts` and `quality`, which do not measure speed alone: `make bench BENCH=forecasts`."""

if __name__ == "__main__":
    began = time.monotonic()
    for name in sys.argv[1:] or QUESTIONS:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
    for page in ("page", "scale"):
        subprocess.run([sys.executable, "-m", f"benchmarks.{page}"], check=True)
    print(f"{(time.monotonic() - began) / 60:.0f} min in total", file=sys.stderr)
