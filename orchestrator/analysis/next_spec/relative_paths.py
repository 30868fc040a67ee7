"""Rewrites relative paths for a spec that is written to another directory."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange
from orchestrator.errors import UserError


def rebase_paths(plain: PlainSpec, base: Path, to: Path) -> list[SpecChange]:
    """The changes that make a spec from one directory mean the same in another.

    They concern the trainable's file and values under fixed that name a file. Configurations from a CSV file are part
    of the recorded spec itself.

    Raises:
        UserError: The trainable or a file in the space can only be found from the original directory.
    """
    base, to = base.resolve(), to.resolve()
    if base == to or not base.is_dir():
        return []
    made = []
    where, _, attribute = plain["trainable"].partition(":")
    if where.endswith(".py") and not Path(where).is_absolute():
        made.append(SpecChange(edits={("trainable",): f"{_from(to, base / where)}:{attribute}"}, reason=f"was {where}"))
    elif attribute and ((base / where.split(".")[0]).is_dir() or (base / f"{where.split('.')[0]}.py").is_file()):
        raise UserError(f"{plain['trainable']} can only be found from {base}; write the spec there")
    search = plain.get("search", {})
    where, colon, attribute = search.get("method", "").partition(":")
    if colon and where.endswith(".py") and not Path(where).is_absolute():
        method = f"{_from(to, base / where)}:{attribute}"
        made.append(SpecChange(edits={("search", "method"): method}, reason=f"was {where}"))
    earlier = [_from(to, base / each) if (base / each).is_dir() else each for each in search.get("from", ())]
    if earlier != search.get("from", []):
        made.append(SpecChange(edits={("search", "from"): earlier}, reason=f"was {', '.join(search['from'])}"))
    for name, value in plain.get("fixed", {}).items():
        if isinstance(value, str) and value and not Path(value).is_absolute() and (base / value).is_file():
            made.append(SpecChange(edits={("fixed", name): _from(to, base / value)}, reason=f"was {value}"))
    for name, distribution in plain.get("space", {}).items():
        for option in (*distribution.get("choice", ()), *distribution.get("grid", ())):
            if isinstance(option, str) and option and (base / option).is_file():
                raise UserError(f"space.{name} refers to {option}, a file in {base}; write the spec there")
    return made


def _from(directory: Path, file: Path) -> str:
    return Path(os.path.relpath(file, directory)).as_posix()
