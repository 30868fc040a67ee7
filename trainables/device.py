"""Where to train: the one place that asks torch which devices there are."""

from __future__ import annotations


def pick_device() -> str:
    """ "cuda" if torch sees a CUDA (or ROCm) device, else "mps" on Apple silicon, else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"
