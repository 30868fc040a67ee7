"""Proposes a spec from a file, whatever kind it is."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft
from orchestrator.first_spec.optuna_study import from_optuna, is_journal, is_sqlite
from orchestrator.first_spec.program import from_program
from orchestrator.first_spec.ray_space import from_ray, is_ray_program
from orchestrator.first_spec.wandb_sweep import from_wandb, is_wandb_sweep
from orchestrator.yaml.reader import from_yaml

KINDS = "a training program in Python, a W&B sweep in YAML, or an Optuna database"
MOST_BYTES = 2_000_000
"""Of a program or a sweep."""


def draft_from(source: str, base: Path) -> Draft:
    """Propose a spec.

    Args:
        source: A path; of an Optuna database, perhaps with ``:`` and the name of a study behind it.
        base: The directory of the spec, from which paths in it are seen.

    Raises:
        UserError: The file cannot be read, or is of another kind.
        SpecError: It is not valid YAML.
    """
    path, study = Path(source), ""
    if not path.exists() and ":" in source:
        source, _, study = source.rpartition(":")
        path = Path(source)
    try:
        if not path.is_file():
            raise UserError(f"{source}: {'not a file' if path.exists() else 'there is no such file'}; give {KINDS}")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise UserError(f"{source}: cannot be read: {error.strerror}") from error
    if is_sqlite(content) or is_journal(content):
        return from_optuna(path.resolve(), study, source, journal=is_journal(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{source}: not a text file; give {KINDS}") from None
    if path.suffix == ".py":
        return _from_python(text, path, Path(os.path.relpath(path, base)).as_posix())
    if path.suffix in (".yaml", ".yml"):
        document = from_yaml(text, source)
        document.raise_mistakes()
        if is_wandb_sweep(document.data):
            return from_wandb(document.data, source)
        raise UserError(f"{source}: no sweep of W&B, which has parameters and no space")
    raise UserError(f"{source}: give {KINDS}")


def _from_python(text: str, path: Path, shown: str) -> Draft:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        raise UserError(f"{shown}: not valid Python: {getattr(error, 'msg', error)}{where}") from None
    return from_ray(tree, shown) if is_ray_program(tree) else from_program(tree, path, shown)
