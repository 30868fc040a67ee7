"""Values of Python programs as YAML has them: those of numpy, torch and pandas become Python's own."""

from __future__ import annotations

import os
from typing import Any


def as_yaml(value: Any) -> Any:
    """A value as YAML has it: a number, text, a list; what YAML lacks, such as a class or a date, is returned as it is.

    Numbers and arrays of numpy, torch and pandas become numbers and lists, members of enumerations their values, and
    paths text. What is in a list or a mapping stays as it is.
    """
    if hasattr(value, "tolist") and not isinstance(value, type):
        value = value.tolist()
    match value:
        case bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case os.PathLike():
            return os.fspath(value)
    return value
