"""`sweep init`: writes a first spec; its trainable too, which are the files in `cli/starter/`, or for what there is."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.formats import TextFormat, say, tell
from orchestrator.cli.json_output import document
from orchestrator.cli.options import TEXT, OutputFormat
from orchestrator.errors import OptionsError, OverwriteError, UserError


def init(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="File to write, or a directory for sweep.yaml.")] = Path(
        "sweep.yaml"
    ),
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Write the shortest pair: no checkpoints, no device, generated data.")
    ] = False,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Propose a spec for a training program (train.py), a W&B sweep (sweep.yaml), a Ray Tune program, or an"
            " Optuna study (optuna.db, optuna.db:STUDY). Nothing of it is run.",
            show_default=False,
        ),
    ] = "",
    builtin: Annotated[
        str,
        typer.Option(
            "--builtin",
            metavar="NAME",
            help="Propose a spec for a built-in trainable: linear, tabular and others (docs/builtin.md).",
            show_default=False,
        ),
    ] = "",
    format_: OutputFormat = TEXT,
) -> None:
    """Write a first spec and its train.py, or one for your own code.

    The train.py fits a torch network to scikit-learn's handwritten digits, which need no download. It trains on a GPU
    if there is one and saves checkpoints, so that an interrupted trial continues where it was."""
    given = [option for option, value in (("--minimal", minimal), ("--from", source), ("--builtin", builtin)) if value]
    if len(given) > 1:
        raise OptionsError(f"{' and '.join(given)} cannot be combined")
    spec = path if path.suffix in (".yaml", ".yml") else path / "sweep.yaml"
    notes: tuple[str, ...] = ()
    if builtin:
        from orchestrator.first_spec.builtin import from_builtin

        texts = {spec: from_builtin(builtin).text()}
    elif source:
        from orchestrator.first_spec.read import draft_from

        draft = draft_from(source, spec.parent)
        texts, notes = {spec: draft.text()}, draft.notes
    else:
        starter = files("orchestrator.cli") / "starter" / ("minimal" if minimal else "full")
        texts = {spec.parent / name: (starter / name).read_text() for name in ("sweep.yaml", "train.py")}
        texts = {spec: texts.pop(spec.parent / "sweep.yaml"), **texts}
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
        document({"files": [str(file) for file in texts], "spec": str(spec), "notes": list(notes)})
        return
    for note in notes:
        say(f"note: {note}")
    say(f"wrote {' and '.join(map(str, texts))}; next:")
    for command in ("try", "plan", "launch"):
        tell(f"sweep {command} {spec}")
