"""What can still be read of a damaged file of a log.

A file that has grown begins with an earlier version of itself, with a footer and checksums of its own
(:mod:`orchestrator.records.in_place_parquet`): it has the older of the rows.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from orchestrator.errors import RecordsError
from orchestrator.records.parquet_log import MOST_BYTES, decode
from orchestrator.records.plain_files import read_plain
from orchestrator.records.table_rules import Rules

_END = b"PAR1"


def salvage(path: Path, rules: Rules) -> pa.Table | None:
    """The rows of the newest version in a file that is whole; None if there is none.

    Raises:
        RecordsError: The file cannot be read at all.
    """
    try:
        content = read_plain(path, MOST_BYTES)
    except OSError as error:
        raise RecordsError(f"cannot read {path}: {error.strerror or error}") from error
    end = len(content)
    while (end := content.rfind(_END, len(_END), end)) > 0:
        try:
            return decode(content[: end + len(_END)], path, rules=rules)
        except (pa.ArrowException, OSError, ValueError, RecordsError):
            continue
    return None
