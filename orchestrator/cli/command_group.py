"""Lays out `--help`, in sections and with an example for each command, and suggests a command for an unknown one."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperGroup

from orchestrator.cli.json_option import JsonCommand
from orchestrator.errors import OptionsError
from orchestrator.suggestions import Known, did_you_mean

MEANT = {
    "cancel": "stop",
    "continue": "resume",
    "delete": "clean",
    "diff": "compare",
    "fetch": "pull",
    "kill": "stop",
    "list": "ls",
    "new": "init",
    "ps": "ls",
    "remove": "clean",
    "rm": "clean",
    "run": "launch",
    "start": "launch",
    "status": "show",
    "submit": "launch",
    "tail": "logs",
    "top": "watch",
    "tune": "launch",
    "validate": "check",
}
"""Commands of other programs, each with the command of `sweep` that does the same."""

# Types of typer's own copy of click, which it has had since 0.25; before, they were click's. So they are Any here.


class Command(JsonCommand):
    """A command whose epilog is an example of its use."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line; for a completion, without an option that is still to get its value.

        That option would be an error, and the words before it would be lost with it.
        """
        unfinished = ctx.resilient_parsing and args and args[-1].startswith("-")
        return super().parse_args(ctx, args[:-1] if unfinished else args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The usage line, required arguments without the braces that Typer puts around them."""
        return [re.sub(r"[{}]", "", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the example."""
        if self.epilog:
            with formatter.section("Example"):
                formatter.write_text(self.epilog)


class CommandGroup(TyperGroup):
    """The commands, each in the section that its ``rich_help_panel`` names."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections, with all summaries in one column."""
        sections: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name in self.list_commands(ctx):
            command = self.commands[name]
            summary = command.get_short_help_str(formatter.width - width - 6)
            section = str(getattr(command, "rich_help_panel", "Commands"))
            sections.setdefault(section, []).append((name.ljust(width), summary))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names.

        Raises:
            OptionsError: There is none of that name; the sentence says which command is meant.
        """
        name = args[0]
        if not ctx.resilient_parsing and name not in self.commands and not name.startswith("-"):
            near = did_you_mean(name, [*self.commands, *MEANT]).nearest
            near = MEANT.get(near, near) if near is not None else None
            hint = f"did you mean: sweep {near}" if near is not None else "see: sweep --help"
            raise OptionsError(
                f"no command {name!r}; {hint}", value=name, allowed=Known(choices=tuple(self.commands), nearest=near)
            )
        return super().resolve_command(ctx, args)
