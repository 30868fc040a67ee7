"""How many bytes and files does a sweep of 2,000 trials × 50 reports leave?

Ours is launched and counted. Ray Tune, which takes a quarter of an hour for as many reports, runs 8, 16 and 32 trials
with its default loggers. A trial's files do not depend on the number of trials, so 2,000 trials are extrapolated from
8 and 32, and 16 must lie on the same line. (Processes are reused there, which does not affect the disk.)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import Case, Comparison, Figures, Question, main

TRIALS = 2_000
REPORTS = 50
SIZES = (8, 16, 32)


def ours() -> Figures:
    """Launch a sweep and count its files."""
    from benchmarks.ours import fit
    from benchmarks.recorded import spec_of, train

    _, sweep = fit(train, spec_of(TRIALS, REPORTS))
    assert len(sweep.trials) == TRIALS
    assert len(sweep.metrics) == TRIALS * REPORTS
    return _figures(*_count(sweep.paths.root))


def ray() -> Figures:
    """Count the files of Ray Tune's experiment directory."""
    import ray

    from benchmarks.peers.ray_experiment import run, start_ray

    start_ray()
    counted = [_count(run(Path("ray_results"), size, name=f"of-{size}")) for size in SIZES]
    ray.shutdown()
    small, between, large = counted
    line = [_on_line(SIZES[0], low, SIZES[2], high) for low, high in zip(small, large, strict=True)]
    for of, seen in zip(line, between, strict=True):
        assert abs(of(SIZES[1]) - seen) <= 0.05 * seen
    return _figures(*(of(TRIALS) for of in line))


def _count(root: Path) -> tuple[int, int]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files), len(files)


def _on_line(x0: int, y0: float, x1: int, y1: float) -> Callable[[float], float]:
    return lambda x: y0 + (y1 - y0) / (x1 - x0) * (x - x0)


def _figures(size: float, files: float) -> Figures:
    return {"mb": size / 1e6, "files": files}


QUESTION = Question(
    name="disk",
    title="What 2,000 trials × 50 reports leave on the disk",
    cases={"ray": Case(run=ray, repeats=1), "ours": Case(run=ours, repeats=2)},
    comparisons=[
        Comparison(row="6", what="bytes of 2,000 × 50", figure="mb", unit="MB", peer="ray", target=30),
        Comparison(row="6", what="files of 2,000 × 50", figure="files", unit="files", peer="ray", target=100),
    ],
)

if __name__ == "__main__":
    main(QUESTION)
