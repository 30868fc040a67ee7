"""Where ``orchestrator.run`` shows a sweep; in a notebook's kernel: tests/api/test_kernel.py."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.api.progress import NotebookSurface, ProgressDisplay
from orchestrator.cli.live.launch_screen import Screen


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says whether both streams are a terminal, and whether this is the kernel of a notebook."""

    def set_up(*, isatty: bool, kernel: bool = False) -> None:
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(sys, stream, SimpleNamespace(isatty=lambda: isatty, write=len, flush=lambda: None))
        shell = SimpleNamespace(kernel=object()) if kernel else SimpleNamespace()
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    return set_up


@pytest.mark.parametrize(
    ("isatty", "kernel", "wanted", "surface", "observed"),
    [
        (True, False, None, Screen, True),
        (True, False, True, Screen, True),
        (True, False, False, None, False),
        (False, False, None, None, False),
        (False, False, True, None, True),  # lines
        (False, True, None, NotebookSurface, True),
        (True, True, True, NotebookSurface, True),
        (False, True, False, None, False),
    ],
)
def test_where_it_is_shown(
    isatty: bool, kernel: bool, wanted: bool | None, surface: type | None, observed: bool, terminal: Any
) -> None:
    terminal(isatty=isatty, kernel=kernel)
    shown = ProgressDisplay(wanted, "mine")
    assert type(shown._surface) is (surface or type(None))
    assert (shown.observer is not None) is observed


def test_ipython_in_a_terminal_is_a_terminal(terminal: Any) -> None:
    terminal(isatty=True, kernel=False)
    assert type(ProgressDisplay(None, "mine")._surface) is Screen


def test_the_newest_messages_stand_above_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)
    displayed = SimpleNamespace(HTML=str, display=lambda text, display_id: shown.append(text) or handle)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=displayed))
    monkeypatch.setitem(sys.modules, "IPython.display", displayed)
    with NotebookSurface() as surface:
        for number in range(12):
            surface.say(f"message {number} <b>")
        surface.draw("drawn")
        surface.draw("too soon")
        surface.conclude("the end")
    first, drawn, last = shown
    assert first == "<pre>starting Ray …\n</pre>"
    assert drawn.startswith("<pre>message 2 &lt;b&gt;\n")
    assert drawn.endswith("message 11 &lt;b&gt;\ndrawn\n</pre>")
    assert last.endswith("\nthe end\n</pre>")
