"""What holds for all tests: with `--no-skips`, as in .ci/run, a test that would be skipped has failed."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest

# No deadline, because the cores are shared: slow is no finding. And the same examples in each run, so that a change is
# refused for what it does; `pytest --hypothesis-profile search` looks for others.
hypothesis.settings.register_profile("sweep", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1_000)
hypothesis.settings.load_profile("sweep")

# A shell that has these tests in its background ignores SIGINT for them, and for the commands that they interrupt, and
# nohup ignores SIGHUP.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="sweep-tests-")  # no test changes what the user's commands know
os.environ["XDG_CACHE_HOME"] = os.path.join(os.environ["XDG_STATE_HOME"], "cache")  # nor the data of another run
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

FIRST = ("docs", "remote", "tune", "cluster", "examples", "packaging", "cli")
"""Folders whose files take minutes; they come first, so that no process is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((at for at, folder in enumerate(FIRST) if folder in item.path.parts), len(FIRST)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="count skipped tests as failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    return _failed_if_skipped((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, pytest.CollectReport]:
    return _failed_if_skipped((yield), collector.config)


def _failed_if_skipped(report: Any, config: pytest.Config) -> Any:
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("no_skips"):
        report.outcome, report.longrepr = "failed", f"skipped, and --no-skips is given: {report.longrepr}"
    return report
