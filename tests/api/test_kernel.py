"""A sweep in a real IPython kernel, as a notebook's front end sees it."""

from __future__ import annotations

import html
import os
import queue
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.scripts import TRAIN

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]


class Notebook:
    """Runs cells in a kernel."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str, cell: str = "") -> list[dict[str, Any]]:
        """The messages that a front end gets until the cell has run."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell})
        self._client.shell_channel.send(message)
        seen: list[dict[str, Any]] = []
        while True:
            try:
                told = self._client.get_iopub_msg(timeout=120)
            except queue.Empty:
                pytest.fail(f"the kernel has stopped answering after {[each['msg_type'] for each in seen]}")
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert told["msg_type"] != "error", "\n".join(told["content"]["traceback"])
            seen.append(told)
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return seen


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    manager.start_kernel(cwd=str(tmp_path), env=environment)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=100)
        yield Notebook(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def shown(messages: list[dict[str, Any]], kind: str) -> list[str]:
    return [each["content"]["data"]["text/html"] for each in messages if each["msg_type"] == kind]


def test_a_sweep_in_a_notebook(notebook: Notebook) -> None:
    notebook.run(TRAIN)
    notebook.run("def slow(config, trial):\n    import time; time.sleep(1)\n    train(config, trial)")
    told = notebook.run("sweep = orchestrator.run(SPEC, slow, cpus=1)\nsweep", "run")
    assert len(shown(told, "display_data")) == 1, shown(told, "display_data")
    (first,), updates = shown(told, "display_data"), shown(told, "update_display_data")
    assert "starting Ray" in first
    assert len(updates) >= 3
    assert any("0/3" in each or "1/3" in each or "2/3" in each for each in updates), updates
    last = re.sub("<[^>]+>", "", html.unescape(updates[-1])).replace("\n", " ")
    assert last.startswith("slow: 3 trials (3 completed) in "), last
    assert "recorded in results/slow" in last
    assert [each["content"] for each in told if each["msg_type"] == "stream"] == []
    (summary,) = shown(told, "execute_result")
    assert "<b>slow</b>, finished" in summary

    quiet = notebook.run("again = orchestrator.run(SPEC, train, cpus=1, progress=False)")
    assert not shown(quiet, "display_data")

    library = "https://d3js.org v"
    cells = {"a": "sweep.curves()", "b": "sweep.slices()", "c": "sweep.parallel()"}
    figures = {cell: shown(notebook.run(code, cell), "execute_result")[0] for cell, code in cells.items()}
    assert [library in each for each in figures.values()] == [True, False, False]
    assert library in shown(notebook.run(cells["a"], "a"), "execute_result")[0]  # its output is replaced
