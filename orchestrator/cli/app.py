"""The command line: one file a command, in `commands/`. The only place that prints or exits.

What a command needs is imported inside it, so that `sweep --help` and `sweep check` are quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from orchestrator.cli import json_output
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
    resume,
    show,
    stop,
    try_,
    watch,
)
from orchestrator.cli.error_text import error_text
from orchestrator.cli.formats import painted, say
from orchestrator.cli.json_option import JsonCommand
from orchestrator.cli.views.text import one_line
from orchestrator.errors import InterruptedSweepError, SweepError

TRACEBACK = "SWEEP_TRACEBACK"

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What Typer raises for a command line that it cannot parse; the class has no public name."""

app = typer.Typer(
    name="sweep",
    help="Search hyperparameters on Ray Tune; every trial is recorded in Parquet.",
    epilog="Begin with `sweep init`.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
command = partial(app.command, cls=JsonCommand)
command("init")(init.init)
command("check")(check.check)
command("plan")(plan.plan)
command("try")(try_.try_)
command("launch")(launch.launch)
command("resume")(resume.resume)
command("stop")(stop.stop)
command("add")(add.add)
command("ls")(ls.ls)
command("show")(show.show)
command("compare")(compare.compare)
command("next")(next.next_)
command("confirm")(confirm.confirm)
command("watch")(watch.watch)
command("report")(report.report)
command("export")(export.export)
command("logs")(logs.logs)
command("pull")(pull.pull)
command("best")(best.best)
command("clean")(clean.clean)
command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def _sweep(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"sweep {version_of('sweep-orchestrator')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 fine, 1 failed, 2 not possible as asked, 130 interrupted.

    Args:
        arguments: As after `sweep` on the command line; None: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
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
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        else:
            what = one_line(f"{type(error).__name__}: {error}")
            say(painted(f"unforeseen {what}", "red", sys.stderr))
            say(f"This is a mistake in sweep. {TRACEBACK}=1 shows where; please report it.")
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
        data = json_output.error_data(error)
    else:
        if code != InterruptedSweepError.exit_code:  # by which Typer tells of Ctrl-C
            return code if isinstance(code, int) else 0
        data = json_output.error_data(KeyboardInterrupt())
    json_output.error(data)
    return int(data["exit_code"])
