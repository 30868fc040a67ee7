"""Checkpoints for tests: small states, and the content of files."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import torch

from trainables.checkpoints.files import load
from trainables.checkpoints.saving import Checkpoints

LONG = 3600.0
Usage = namedtuple("Usage", "total used free")


def files(directory: Path) -> dict[str, int]:
    """The step in each file, by name."""
    return {path.name: load(path)["step"] for path in sorted(directory.iterdir())}


def state(step: int) -> dict[str, Any]:
    return {"weight": torch.full((4,), float(step))}


def two(directory: Path) -> Checkpoints:
    saved = Checkpoints(directory)
    for step in (1, 2):
        saved.save(step, state(step))
        saved.report(step, step)
    return Checkpoints(directory)
