"""The command `sweep`: its commands, and the exit code of each error. Only orchestrator/cli prints or exits.

Commands import what they need inside their functions, so that `sweep --help` and `sweep check` are quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from orchestrator.cli import completion, json_output
from orchestrator.cli.command_group import Command, CommandGroup
from orchestrator.cli.commands import (
    add,
    best,
    check,
    clean,
    compare,
    confirm,
    doctor,
    export,
    init,
    launch,
    logs,
    ls,
    next,
    plan,
    pull,
    report,
    repro,
    resume,
    show,
    simulate,
    stop,
    try_,
    verify,
    watch,
)
from orchestrator.cli.error_text import TRACEBACK, error_text, internal_error_text
from orchestrator.cli.forgiving_output import open_standard_streams
from orchestrator.cli.formats import say, tell
from orchestrator.cli.machine_errors import machine_error
from orchestrator.errors import InterruptedSweepError, SweepError

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What Typer raises for a command line that it cannot parse; the class has no public name."""

app = typer.Typer(
    name="sweep",
    cls=CommandGroup,
    help="Search hyperparameters on Ray Tune; every trial is recorded in Parquet.",
    epilog="New here? Start with `sweep init`. Help on a command: sweep COMMAND --help",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, list[tuple[str, Callable[..., None], str]]] = {
    "Write a spec": [
        ("init", init.init, "sweep init churn/"),
        ("check", check.check, "sweep check churn.yaml --set search.method=random"),
        ("plan", plan.plan, "sweep plan churn.yaml --gpus 64 --step-seconds 30"),
        ("try", try_.try_, "sweep try churn.yaml --config '{lr: 0.01}' --steps 3"),
    ],
    "Run a sweep": [
        ("launch", launch.launch, "sweep launch churn.yaml --trials 50 --on slurm"),
        ("resume", resume.resume, "sweep resume churn --trials 200 --retry failed"),
        ("add", add.add, "sweep add churn --config '{lr: 0.01, layers: 2}'"),
        ("stop", stop.stop, "sweep stop churn --trial 12"),
    ],
    "Look at sweeps": [
        ("ls", ls.ls, "sweep ls --tree"),
        ("show", show.show, "sweep show churn --top 20"),
        ("watch", watch.watch, "sweep watch churn"),
        ("logs", logs.logs, "sweep logs churn 12 -f"),
        ("compare", compare.compare, "sweep compare churn churn-2"),
        ("report", report.report, "sweep report churn --open"),
    ],
    "Decide what is next": [
        ("best", best.best, "sweep best churn --checkpoint model.pt > best.yaml"),
        ("confirm", confirm.confirm, "sweep confirm churn --top 3 --seeds 10"),
        ("repro", repro.repro, "sweep repro churn 7"),
        ("next", next.next_, "sweep next churn -o churn-2.yaml"),
        ("simulate", simulate.simulate, "sweep simulate churn --set search.method=random --workers 32"),
    ],
    "Look after records and machines": [
        ("export", export.export, "sweep export churn --to mlflow"),
        ("pull", pull.pull, "sweep pull churn --checkpoints"),
        ("clean", clean.clean, "sweep clean --dry-run"),
        ("verify", verify.verify, "sweep verify churn"),
        ("doctor", doctor.doctor, "sweep doctor --on auto"),
    ],
}
"""The sections of `sweep --help`, and in each the commands: the name, the function, an example."""

for section, commands in COMMANDS.items():
    for name, function, example in commands:
        app.command(name, cls=Command, epilog=example, rich_help_panel=section)(function)


@app.callback(invoke_without_command=True)
def _sweep(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        tell(f"sweep {version_of('sweep-orchestrator')}")
    elif context.invoked_subcommand is None:
        tell(context.get_help(), as_it_is=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 not possible as asked, 130 interrupted.

    Args:
        arguments: The words after `sweep`; None: those of this process.
    """
    open_standard_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if completion.VARIABLE in os.environ:
        return completion.answer(lambda: app(args=words, prog_name="sweep"))
    if json_output.asked_for(words):
        with json_output.answering():
            return _in_json(words)
    try:
        app(args=words, prog_name="sweep")
    except SystemExit as ending:  # how Typer ends a command
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except SweepError as error:
        say(error_text(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if (found := machine_error(error)) is not None and not os.environ.get(TRACEBACK):
            say(error_text(found))
            return found.exit_code
        if os.environ.get(TRACEBACK):
            say(traceback.format_exc())
        else:
            say(internal_error_text(error))
        return 1
    return 0


def _in_json(words: list[str]) -> int:
    """Run a command whose answer is JSON; whatever goes wrong is the last line of stderr."""
    try:
        code = app(args=words, prog_name="sweep", standalone_mode=False)
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except UsageError as error:
        data = json_output.usage_data(error)
    except (KeyboardInterrupt, typer.Abort):
        data = json_output.error_data(KeyboardInterrupt())
    except Exception as error:
        data = json_output.error_data(machine_error(error) or error)
    else:
        if code != InterruptedSweepError.exit_code:  # by which Typer tells of Ctrl-C
            return code if isinstance(code, int) else 0
        data = json_output.error_data(KeyboardInterrupt())
    json_output.error(data)
    return int(data["exit_code"])
