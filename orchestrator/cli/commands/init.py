"""`sweep init`: writes a first spec and its trainable, which are the files in `cli/starter/`."""

from __future__ import annotations

from importlib.resources import files
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
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Write the shortest pair: no checkpoints, no device, generated data.")
    ] = False,
    format_: OutputFormat = TEXT,
) -> None:
    """Write a first spec, and the train.py that it runs.

    The train.py fits a torch network to scikit-learn's handwritten digits, which need no download. It trains on a GPU
    if there is one and saves checkpoints, so that an interrupted trial continues where it was."""
    starter = files("orchestrator.cli") / "starter" / ("minimal" if minimal else "full")
    spec = path if path.suffix in (".yaml", ".yml") else path / "sweep.yaml"
    texts = {spec: (starter / "sweep.yaml").read_text(), spec.parent / "train.py": (starter / "train.py").read_text()}
    for file in texts:
        if file.exists():
            raise OverwriteError(f"{file} exists and is not overwritten; choose another directory: sweep init NEW/")
    try:
        spec.parent.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            file.write_text(text)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or spec}: {error.strerror}") from error
    if format_ is TextFormat.JSON:
        document({"files": [str(file) for file in texts], "spec": str(spec)})
        return
    say(f"wrote {' and '.join(map(str, texts))}; next:")
    for command in ("try", "plan", "launch"):
        typer.echo(f"sweep {command} {spec}")
