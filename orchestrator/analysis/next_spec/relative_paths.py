"""Rewrites relative paths for a spec that is written to another directory."""

from __future__ import annotations

from pathlib import Path

from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange
from orchestrator.errors import UserError
from orchestrator.spec.relative_paths import is_path, moved_paths


def rebase_paths(plain: PlainSpec, base: Path, to: Path) -> list[SpecChange]:
    """The changes that make a spec from one directory mean the same in another.

    They concern the trainable's file and values under fixed that name a file. Configurations from a CSV file are part
    of the recorded spec itself.

    Raises:
        UserError: The trainable or a file in the space can only be found from the original directory, or the spec has
            a command.
    """
    base, to = base.resolve(), to.resolve()
    if base == to or not base.is_dir():
        return []
    if "command" in plain:
        raise UserError(f"its command starts in {base}, from which its relative paths are meant; write the spec there")
    where, _, attribute = plain["trainable"].partition(":")
    is_file = where.endswith(".py")
    if not is_file and attribute and any((base / f"{where.split('.')[0]}{end}").exists() for end in ("", ".py")):
        raise UserError(f"{plain['trainable']} can only be found from {base}; write the spec there")
    for name, distribution in plain.get("space", {}).items():
        for option in (*distribution.get("choice", ()), *distribution.get("grid", ())):
            if isinstance(option, str) and is_path(option, base):
                raise UserError(f"space.{name} refers to {option}, which is in {base}; write the spec there")
    moved = moved_paths(plain, base, to)
    return [SpecChange(edits={key: value}, reason=f"was {before}") for key, value, before in moved]
