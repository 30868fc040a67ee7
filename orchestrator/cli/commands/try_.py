"""`sweep try`: trains one configuration in this process."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli import options
from orchestrator.cli.formats import TextFormat
from orchestrator.cli.options import TEXT, OutputFormat, Seed, Set, SpecFile
from orchestrator.errors import OptionsError


def try_(
    spec: SpecFile,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="YAML", help="Values to train with, as '{lr: 0.01}'; others are sampled."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="Stop after this many reports.")
    ] = None,
    pdb: Annotated[bool, typer.Option("--pdb", help="Enter the debugger where the trainable raises.")] = False,
    data_fractions: Annotated[
        str | None,
        typer.Option(
            "--data-fractions",
            metavar="SHARES",
            help="Train once on each share of the training data, as 0.25,0.5,1, to see whether more data helps.",
        ),
    ] = None,
    noise: Annotated[
        bool,
        typer.Option(
            "--noise",
            help="Train the default configuration with several seeds, to see which difference between two trials means"
            " something.",
        ),
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", min=2, help="Seeds of --noise.  [default: 2]", show_default=False),
    ] = None,
    lr_range: Annotated[
        bool,
        typer.Option(
            "--lr-range",
            help="Find the learning rates that are worth searching, in 200 updates of the default configuration.",
        ),
    ] = False,
    set_: Set = None,
    seed: Seed = None,
    format_: OutputFormat = TEXT,
) -> None:
    """Train one configuration in this process, without Ray.

    Trains the sweep's first configuration, or the one given by --config, and prints each report."""
    found = options.checked(spec, options.overrides(set_, seed=seed))

    questions = {"--data-fractions": data_fractions is not None, "--noise": noise, "--lr-range": lr_range}
    if sum(questions.values()) > 1:
        asked = " and ".join(option for option, is_given in questions.items() if is_given)
        raise OptionsError(f"{asked} are different questions: give one of them")
    if lr_range:
        from orchestrator.cli.live.lr_range import find_learning_rates

        find_learning_rates(found, config, as_json=format_ is TextFormat.JSON)
        return
    if data_fractions is not None:
        from orchestrator.cli.live.data_fractions import compare_fractions, fractions_of

        compare_fractions(found, config, fractions_of(data_fractions), steps=steps, as_json=format_ is TextFormat.JSON)
        return
    if seeds is not None and not noise:
        raise OptionsError("--seeds requires --noise")
    if noise:
        from orchestrator.cli.live.noise import measure_noise

        measure_noise(found, config, seeds or 2, steps=steps, as_json=format_ is TextFormat.JSON)
        return
    from orchestrator.cli.live.try_run import try_trial

    try_trial(found, config, steps=steps, debug=pdb, as_json=format_ is TextFormat.JSON)
