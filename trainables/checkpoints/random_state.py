"""The state of a process's random generators, so that a resumed trial draws the same numbers as an uninterrupted one.

Only libraries that have been imported are considered.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any


def capture() -> dict[str, Any]:
    """The states of the generators of random, and of numpy, torch and its devices if imported.

    Plain data without tensors: torch's states are hexadecimal digits.
    """
    states: dict[str, Any] = {"python": random.getstate()}
    if "numpy" in sys.modules:
        generator = states["numpy"] = sys.modules["numpy"].random.get_state(legacy=False)
        generator["state"] = {
            name: value.tolist() if hasattr(value, "tolist") else value for name, value in generator["state"].items()
        }
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = _hexadecimal(torch.get_rng_state())
        if torch.cuda.is_initialized():
            states["cuda"] = [_hexadecimal(state) for state in torch.cuda.get_rng_state_all()]
        if torch.backends.mps.is_available():
            states["mps"] = _hexadecimal(torch.mps.get_rng_state())
    return states


def restore(states: Mapping[str, Any]) -> None:
    """Restore the generators, importing the libraries that were imported then."""
    random.setstate(states["python"])
    if "numpy" in states:
        import numpy

        numpy.random.set_state(states["numpy"])
    if "torch" in states:
        import torch

        def tensor(digits: str) -> Any:
            return torch.frombuffer(bytearray.fromhex(digits), dtype=torch.uint8)

        torch.set_rng_state(tensor(states["torch"]))
        if torch.cuda.is_available():
            for device, state in enumerate(states.get("cuda", ())[: torch.cuda.device_count()]):
                torch.cuda.set_rng_state(tensor(state), device)
        if "mps" in states and torch.backends.mps.is_available():
            torch.mps.set_rng_state(tensor(states["mps"]))


def _hexadecimal(state: Any) -> str:
    return bytes(state.numpy()).hex()
