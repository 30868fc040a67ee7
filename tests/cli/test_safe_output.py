"""Nothing that a sweep records can command the terminal on which it is printed."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.table import Table
from rich.text import Text

import orchestrator.cli
from orchestrator.cli import formats
from orchestrator.cli.app import main
from orchestrator.cli.formats import painted, say, tell
from orchestrator.cli.live.launch_screen import Screen
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import config_yaml
from orchestrator.core.rows import Failure
from orchestrator.safe_text import UNSAFE, escaped, for_output, log_for_output, log_line, printable
from tests.cli import recorded

HOSTILE = (
    "a\x1b]0;owned\x07\x1b[2J\x1b[8mb\x9b31mc\x9d52;c;aGk=\x9cd\u202egnp.exe\u2066\r\x08\x7f\x1bPq\x1b\\\U000e0041z"
)
TEXTS = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters()), max_size=60) | st.sampled_from([HOSTILE])
STYLE = re.compile(r"\x1b\[[0-9;]*m")
COMMANDS = [
    "show", "show --events", "show --failures", "show --trial 0", "show --format csv", "show --events --format csv",
    "show --json", "show --events --json", "show --failures --json", "show --trial 0 --json", "show --importance",
    "ls", "ls --json", "logs 0", "best", "best --json", "compare made-up made-up", "verify", "watch",
    "next -o made.yaml", "next -o made.yaml --json", "report -o page.html", "clean --dry-run", "simulate --seeds 1",
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def unsafe(text: str) -> str:
    return "".join(UNSAFE.findall(text.replace("\n", "").replace("\t", "")))


@given(TEXTS)
def test_no_text_keeps_a_command(text: str) -> None:
    assert not UNSAFE.search(printable(text))
    assert len(printable(text)) == len(text)
    assert not unsafe(for_output(text, styled=False))
    assert not unsafe(STYLE.sub("", for_output(text, styled=True)))
    assert not unsafe(re.sub("[\r\b]", "", STYLE.sub("", log_for_output(text, styled=True))))
    assert not UNSAFE.search(log_line(text))


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    lines = f"{text}\n\t{text}"
    assert printable(text) == log_line(text) == text
    assert for_output(lines, styled=True) == for_output(lines, styled=False) == lines


@given(TEXTS)
def test_json_and_yaml_keep_what_they_escape(text: str) -> None:
    written = escaped(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert not unsafe(written)
    assert json.loads(written) == {text: [text]}
    written = config_yaml({"choice": text})
    assert not unsafe(written)
    if not re.search("[\ud800-\udfff]", text):
        assert yaml.safe_load(written) == {"choice": text}


@given(TEXTS, st.booleans())
def test_whatever_is_told_said_painted_or_put_in_a_table_is_safe(text: str, coloured: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm" if coloured else "dumb")
        patch.delenv("NO_COLOR", raising=False)
        streams = Terminal(), Terminal()
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        tell(text)
        say(text)
        tell(painted(text, "red"))
        tell(as_table([{"status": text, text: text, "configuration": {text: text}, "n": 1.5}]))
        for stream in streams:
            assert not unsafe(STYLE.sub("", stream.getvalue()) if coloured else stream.getvalue())


def test_our_own_styles_pass_and_those_that_hide_text_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert for_output(painted("x", "red", bold=True), styled=True) == "\x1b[31m\x1b[1mx\x1b[0m"
    assert for_output(painted("x", "red"), styled=False) == "x"
    for hidden in ("\x1b[8m", "\x1b[30;40m", "\x1b[41m", "\x1b[38;5;0m"):
        assert "\x1b" not in for_output(hidden, styled=True)


def test_a_log_keeps_its_bars_and_colours() -> None:
    bar = "\r 50%|##  |\x1b[32m ok\x1b[0m\x1b[A\x1b[K\x1b]0;title\x07\n"
    assert log_for_output(bar, styled=True) == "\r 50%|##  |\x1b[32m ok\x1b[0m\n"
    assert log_for_output(bar, styled=False) == "\r 50%|##  | ok\n"


def test_the_live_screen_draws_text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Terminal()
    monkeypatch.setattr(sys, "stderr", drawn)
    monkeypatch.setenv("TERM", "xterm")
    table = Table()
    table.add_column(f"[link=http://x]{HOSTILE}")
    table.add_row(HOSTILE)
    with Screen() as screen:
        screen.draw(Group(Text(HOSTILE, "yellow"), table))
        screen.say(f"{HOSTILE} [link=http://x]y[/link]")
        screen.conclude(HOSTILE)
    text = drawn.getvalue()
    assert "\x1b[?25l" in text  # rich hides the cursor itself
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert "\x1b[8m" not in text
    assert not re.search("[\x07\x7f-\x9f\u202e\u2066\U000e0041]", text)


@pytest.mark.parametrize(
    ("to", "words"),
    [(to, words) for to in ("pipe", "terminal") for words in COMMANDS if (to, words) != ("terminal", "watch")],
)
def test_no_command_passes_on_what_a_hostile_sweep_recorded(
    words: str, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorded, "Failure", lambda **kept: Failure(**{**kept, "message": HOSTILE, "type": HOSTILE}))
    space = {**recorded.SPEC["space"], "label": {"choice": [HOSTILE, f"{HOSTILE}2"]}}
    paths = recorded.record(tmp_path / "results", space=space)
    paths.log(0).parent.mkdir(exist_ok=True)
    paths.log(0).write_text(HOSTILE)
    if to == "terminal" and "json" not in words:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(formats.sys, "stdout", Terminal())
        monkeypatch.setattr(formats.sys, "stderr", Terminal())
    main(words.split())
    streams = [each.getvalue() for each in (sys.stdout, sys.stderr) if isinstance(each, Terminal)]
    text = "".join([*streams, *capfd.readouterr()])
    assert text
    assert not unsafe(re.sub("[\r\b]", "", STYLE.sub("", text)) if words == "logs 0" or streams else text)


def test_only_these_places_print() -> None:
    """Whoever adds another one would go around what makes text safe."""
    prints = {"formats.py", "json_output.py", "doctor.py", "table.py", "events.py", "launch_screen.py"}
    found = set()
    for path in Path(orchestrator.cli.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print", "typer.echo", "typer.secho", "click.echo", "Console", "sys.stdout.write", "sys.stderr.write",
            ):  # fmt: skip
                found.add(path.name)
    assert found <= prints
