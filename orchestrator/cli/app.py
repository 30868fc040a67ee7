"""The command line: one file a command, in `commands/`. The only place that prints or exits.

What a command needs is imported inside it, so that `sweep --help` and `sweep check` are quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

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
from orchestrator.cli.views.text import one_line
from orchestrator.errors import SweepError

TRACEBACK = "SWEEP_TRACEBACK"

app = typer.Typer(
    name="sweep",
    help="Search hyperparameters on Ray Tune; every trial is recorded in Parquet.",
    epilog="Begin with `sweep init`.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("try")(try_.try_)
app.command("launch")(launch.launch)
app.command("resume")(resume.resume)
app.command("stop")(stop.stop)
app.command("add")(add.add)
app.command("ls")(ls.ls)
app.command("show")(show.show)
app.command("compare")(compare.compare)
app.command("next")(next.next_)
app.command("confirm")(confirm.confirm)
app.command("watch")(watch.watch)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("logs")(logs.logs)
app.command("pull")(pull.pull)
app.command("best")(best.best)
app.command("clean")(clean.clean)
app.command("doctor")(doctor.doctor)


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
    try:
        app(args=None if arguments is None else list(arguments), prog_name="sweep")
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
