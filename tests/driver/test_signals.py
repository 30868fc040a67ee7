"""A signal ends a sweep in order, and a second one at once, unless it is an echo of the first."""

from __future__ import annotations

import os
import signal

import pytest

from orchestrator.driver import signals
from orchestrator.driver.signals import Signals


def test_a_signal_to_stop_that_comes_twice_at_once_is_one() -> None:
    with Signals() as caught:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert (caught.reason, caught.interrupted) == ("stopped by SIGTERM", False)


@pytest.mark.parametrize(("second", "echo_s"), [(signal.SIGINT, 60.0), (signal.SIGTERM, -1.0)])
def test_a_second_one_ends_the_sweep_at_once(
    second: signal.Signals, echo_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "ECHO_S", echo_s)
    with Signals() as caught:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), second)
        assert caught.reason == "stopped by SIGTERM"


def test_after_ctrl_c_a_second_one_ends_it() -> None:
    with Signals() as caught:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert (caught.reason, caught.interrupted) == ("interrupted by SIGINT", True)
