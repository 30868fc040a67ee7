"""The script of `make test-gpu`, as far as it can be tried without a GPU."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.long


def test_the_checks_that_need_no_gpu_pass_on_the_cpu() -> None:
    ran = subprocess.run([sys.executable, "-m", "tests.gpu", "--cpu"], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line[:6].strip() for line in ran.stdout.splitlines()[1:]] == ["ok"] * 5
    assert ran.stderr == ""
