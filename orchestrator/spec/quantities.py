"""Durations, memory sizes and amounts of GPUs: how people write them, and the numbers they stand for.

Parsed here, because pydantic's timedelta knows neither 90s nor 1h30m, and its ByteSize refuses 512Mi and reads 10**9
as 10 bytes.
"""

from __future__ import annotations

import ast
import re
from typing import Annotated, Any

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
GPU_WORDS = ("auto", "packed")
_FORMULA = "as in '2 if width > 1024 else 1'"
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


def whole_seconds(value: Any) -> int:
    """As ``seconds``, if it is a whole number of seconds."""
    total = seconds(value)
    if total != int(total):
        raise mistake(f"{shown(value)} is not a whole number of seconds", "as in 90s, 10m, 1h30m")
    return int(total)


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


def cpus(value: Any) -> float | str:
    """A number, or the text of a formula."""
    if is_number(value) and value >= 0:
        return float(value)
    if not _is_formula(value):
        raise mistake(f"{shown(value)} is not a number of CPUs", f"0 or more, or a formula, {_FORMULA}")
    return str(value)


def gpus(value: Any) -> float | str:
    """``auto``, ``packed``, a whole number, a share of one GPU below 1, or the text of a formula."""
    if value in GPU_WORDS or _is_formula(value):
        return str(value)
    if not is_number(value) or value < 0 or not whole_or_share(value):
        allowed = f"auto, packed, a whole number, a fraction below 1, or a formula, {_FORMULA}"
        raise mistake(f"{shown(value)} is not a number of GPUs", allowed)
    return float(value)


def memory(value: Any) -> int | str:
    """As :func:`memory_bytes`, or the text of a formula."""
    return str(value) if _is_formula(value) else memory_bytes(value)


def _is_formula(value: Any) -> bool:
    """Whether the text can be an expression with a name; the check of the whole spec knows which names there are."""
    if not isinstance(value, str) or (value.strip().isascii() and value.strip().isdigit()):
        return False
    try:
        tree = ast.parse(value.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return any(isinstance(node, ast.Name) for node in ast.walk(tree))


def whole_or_share(value: float) -> bool:
    """Whether Ray can give such an amount: a whole number, or a fraction of one."""
    return value <= 1 or value == int(value)


def amount(value: float) -> float:
    """The amount of a custom resource: a whole number above 0, or a fraction below 1, as Ray requires."""
    if value <= 0 or not whole_or_share(value):
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
_FORMULA_SCHEMA = {"type": "string", "examples": ["2 if width > 1024 else 1"]}
Cpus = Annotated[
    float | str,
    BeforeValidator(cpus),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, _FORMULA_SCHEMA]}),
]
StepsOrSeconds = Annotated[
    int,
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["60s", "10m", "1h30m"]}]}
    ),
]
"""A step, or seconds: then also a text, which the section reads that knows the unit."""
Bytes = Annotated[
    int,
    BeforeValidator(memory_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string", "examples": ["4GB"]}]}),
]
Memory = Annotated[
    int | str,
    BeforeValidator(memory),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "examples": ["4GB", "1e9 * layers"]},
            ]
        }
    ),
]
Gpus = Annotated[
    float | str,
    BeforeValidator(gpus),
    WithJsonSchema({"anyOf": [{"enum": ["auto", "packed"]}, {"type": "number", "minimum": 0}, _FORMULA_SCHEMA]}),
]
