"""Hyperparameter sweeps on Ray Tune, recorded in Parquet: ``run`` a spec, ``load`` a recorded sweep."""

from __future__ import annotations

from orchestrator import names as names  # first: it decides what `import trainables` means in the lines below
