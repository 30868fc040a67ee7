"""What a sweep trains: the contract with a training program, and the built-in trainables; no Ray, no sweep."""

from __future__ import annotations

from types import MappingProxyType

BUILTIN = MappingProxyType(
    {
        "linear": "trainables.builtin.linear:train",
        "sequence": "trainables.builtin.sequence:train",
        "tabular": "trainables.builtin.tabular:train",
        "language": "trainables.builtin.language:train",
        "lora": "trainables.builtin.lora:train",
        "vision": "trainables.builtin.vision:train",
    }
)
"""The built-in trainables: the name in a spec, and its function. Torch is imported when it trains."""
