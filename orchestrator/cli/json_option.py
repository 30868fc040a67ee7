"""`--json` beside `--format`: every command that has the long option takes the short one."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

FORMAT = "format_"
"""The parameter of commands that answer in a format of choice."""


class JsonCommand(TyperCommand):
    """A command that reads --json as --format json; as always, of several formats the last one holds."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if any(parameter.name == FORMAT for parameter in self.params):
            end = args.index("--") if "--" in args else len(args)
            args = [*("--format=json" if word == "--json" else word for word in args[:end]), *args[end:]]
        return super().parse_args(ctx, args)
