"""Records from lines for people, by a regular expression: ``epoch (?P<epoch>\\d+): loss (?P<loss>\\S+)``.

Each named group is a number. With groups called ``name`` and ``value``, each match is a number of that name, as in
``(?P<name>\\w+)=(?P<value>\\S+)`` for ``epoch=1 loss=0.5``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from trainables.command.metrics.record import Record, number_in

PAIR = frozenset({"name", "value"})


def reader(pattern: str) -> Callable[[str], Record]:
    """What reads the numbers of a line; {} for one that does not match."""
    compiled = re.compile(pattern)
    return lambda line: _read(compiled, line)


def _read(pattern: re.Pattern[str], line: str) -> Record:
    found: dict[str, float] = {}
    for match in pattern.finditer(line):
        groups = match.groupdict()
        if groups.keys() >= PAIR:
            groups[groups.pop("name") or ""] = groups.pop("value")
        found |= {name: number for name, text in groups.items() if (number := number_in(text)) is not None}
    return found
