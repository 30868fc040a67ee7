"""Durations, memory sizes and amounts of GPUs: how people write them, and the numbers they stand for.

Parsed here, because pydantic's timedelta knows neither 90s nor 1h30m, and its ByteSize refuses 512Mi and reads 10**9
as 10 bytes.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from orchestrator.formatting import shown
from orchestrator.space.values import is_number, mistake

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_UNITS = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]i?)?B?", re.ASCII)
_OWN_KEYS = ("cpu", "gpu", "memory")
_LONGEST = 64  # characters; longer texts are mistakes


def seconds(value: Any) -> float:
    """``90s``, ``10m``, ``1h30m`` or a number of seconds, in seconds; always above 0."""
    total = 0.0
    if isinstance(value, str) and len(value) <= _LONGEST and (match := _DURATION.fullmatch(value.replace(" ", ""))):
        total = sum(float(part or 0) * unit for part, unit in zip(match.groups(), _SECONDS.values(), strict=True))
    elif is_number(value):
        total = float(value)
    if total <= 0:
        raise mistake(f"{shown(value)} is not a duration", "as in 90s, 10m, 1h30m, or a number of seconds above 0")
    return total


def memory_bytes(value: Any) -> int:
    """``4GB``, ``512MiB`` or a number of bytes, in bytes; always above 0."""
    total = 0
    if isinstance(value, str) and len(value) <= _LONGEST and (match := _MEMORY.fullmatch(value.strip())):
        total = round(float(match[1]) * _UNITS[match[2] or ""])
    elif is_number(value) and isinstance(value, int):
        total = value
    if total <= 0:
        raise mistake(f"{shown(value)} is not a memory size", "as in 4GB, 512MiB, or a number of bytes above 0")
    return total


def gpus(value: Any) -> float | str:
    """``auto``, ``packed``, a whole number, or a share of one GPU below 1."""
    if value in ("auto", "packed"):
        return str(value)
    if not is_number(value) or value < 0 or (value > 1 and value != int(value)):
        raise mistake(f"{shown(value)} is not a number of GPUs", "auto, packed, a whole number, or a fraction below 1")
    return float(value)


def amount(value: float) -> float:
    """The amount of a custom resource: a whole number above 0, or a fraction below 1, as Ray requires."""
    if value <= 0 or (value > 1 and value != int(value)):
        raise mistake(f"{shown(value)} is not a valid amount", "a whole number above 0, or a fraction below 1")
    return value


def resource_name(name: str) -> str:
    """The name of a custom resource."""
    if name.lower() in _OWN_KEYS:
        raise mistake(f"{shown(name)} is not a custom resource", f"use resources.{name.lower()}")
    if not name.strip():
        raise mistake(f"{shown(name)} is not a name", "a name as in ray start --resources='{\"tpu_slice\": 1}'")
    return name


Amounts = dict[Annotated[str, AfterValidator(resource_name)], Annotated[float, AfterValidator(amount)]]

Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "examples": ["10m", "1h30m"]},
            ]
        }
    ),
]
Bytes = Annotated[
    int,
    BeforeValidator(memory_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string", "examples": ["4GB"]}]}),
]
Gpus = Annotated[
    float | Literal["auto", "packed"],
    BeforeValidator(gpus),
    WithJsonSchema({"anyOf": [{"enum": ["auto", "packed"]}, {"type": "number", "minimum": 0}]}),
]
