"""`sweep init`: writes a first spec and its trainable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say
from orchestrator.cli.json_output import document
from orchestrator.cli.options import TEXT, OutputFormat
from orchestrator.errors import OverwriteError, UserError


def init(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="File to write, or a directory for sweep.yaml.")] = Path(
        "sweep.yaml"
    ),
    format_: OutputFormat = TEXT,
) -> None:
    """Write a first spec, and the train.py that it runs."""
    from orchestrator.cli.views import starter

    spec = path if path.suffix in (".yaml", ".yml") else path / "sweep.yaml"
    files = {spec: starter.SPEC, spec.parent / "train.py": starter.TRAIN}
    for file in files:
        if file.exists():
            raise OverwriteError(f"{file} exists and is not overwritten; choose another directory: sweep init NEW/")
    try:
        spec.parent.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            file.write_text(text)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or spec}: {error.strerror}") from error
    if format_ is TextFormat.JSON:
        document({"files": [str(file) for file in files], "spec": str(spec)})
        return
    say(f"wrote {' and '.join(map(str, files))}; next:")
    for command in ("try", "plan", "launch"):
        typer.echo(f"sweep {command} {spec}")
