"""Real programs under a trial, without a sweep."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from trainables.command.failure import ProgramFailed
from trainables.command.program import Program
from trainables.report import Report
from trainables.trial import Trial, TrialEnded


def python(code: str, *arguments: str, **more: Any) -> Program:
    """A program of Python source."""
    return Program(text="test", arguments=(sys.executable, "-c", code, *arguments), objective="loss", **more)


def run(program: Program, config: dict[str, Any] | None = None, **trial: Any) -> list[Report]:
    made = Trial(config=config or {}, **trial)
    program(made.config, made)
    return made.history


def told(reports: list[Report]) -> list[tuple[int, dict[str, float]]]:
    return [(each.step, dict(each.metrics)) for each in reports]


def gone(marker: str) -> bool:
    """Whether no process has the marker among its arguments, soon."""
    for _ in range(50):
        alive = [each for each in psutil.process_iter(["cmdline", "status"]) if marker in (each.info["cmdline"] or ())]
        if all(each.info["status"] == psutil.STATUS_ZOMBIE for each in alive):
            return True
        time.sleep(0.1)
    return False


def test_metrics_are_reported_and_the_output_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    reports = run(
        python('import sys; print("hello"); print(\'{"step": 1, "loss": \' + sys.argv[1] + "}")', "{lr}"), {"lr": 0.5}
    )
    assert told(reports) == [(1, {"loss": 0.5})]
    assert capsys.readouterr().out == 'hello\n{"step": 1, "loss": 0.5}\n'


def test_a_report_comes_when_it_is_printed_and_not_when_a_buffer_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    code = "import time; print('{\"loss\": 1}'); time.sleep(60)"
    seen = []

    def sink(report: Report) -> None:
        seen.append(report)
        raise TrialEnded

    began = time.monotonic()
    with pytest.raises(TrialEnded):
        run(python(code), sink=sink)
    assert time.monotonic() - began < 30
    assert len(seen) == 1


def test_environment_variables_have_placeholders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "3")
    code = (
        "import json, os\n"
        "env = os.environ\n"
        'print(json.dumps({"loss": float(env["LR"]), "outside": float(env["FROM_OUTSIDE"]), "seed": int(env["SEED"]),\n'
        ' "there": os.path.samefile(env["DIR"], os.getcwd() + "/trial") * 1.5}))'
    )
    monkeypatch.chdir(tmp_path)
    program = python(code, env={"LR": "{lr}", "DIR": "{trial_dir}", "SEED": "{seed}"})
    assert told(run(program, {"lr": 2}, directory=Path("trial"), seed=7)) == [
        (1, {"loss": 2, "outside": 3, "there": 1.5, "seed": 7})
    ]


def test_nested_values_have_dotted_names_and_a_group_is_json() -> None:
    code = "import json, sys; print(json.dumps({'loss': float(sys.argv[1]), 'all': json.loads(sys.argv[2])}))"
    reports = run(python(code, "{optim.lr}", "{optim}", "{optim.no}"), {"optim": {"lr": 0.5, "name": "sgd"}})
    assert told(reports) == [(1, {"loss": 0.5, "all/lr": 0.5})]


def test_a_configuration_file_is_written_into_the_directory_of_the_trial(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("lr: {lr}\nmomentum: {momentum}\nother: {unknown}\n")
    code = "import json, sys; [open(file).close() for file in sys.argv[1:]]; print(json.dumps({'loss': 1}))"
    program = python(
        code, "{config.json}", "{config.yaml}", template=str(tmp_path / "base.yaml"), parameters=("lr", "momentum")
    )
    run(program, {"lr": 0.5, "optim": {"name": "a b"}}, directory=tmp_path / "trial")
    assert json.loads((tmp_path / "trial" / "config.json").read_text()) == {"lr": 0.5, "optim": {"name": "a b"}}
    assert (tmp_path / "trial" / "config.yaml").read_text() == "lr: 0.5\nmomentum: null\nother: {unknown}\n"


def test_a_program_that_is_told_no_directory_saves_nothing(tmp_path: Path) -> None:
    run(python("print('{\"loss\": 1}')"), directory=tmp_path / "trial")
    assert not (tmp_path / "trial").exists()


def test_junk_in_the_output_does_no_harm(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import sys; out = sys.stdout.buffer; out.write(bytes(range(256)) * 40); out.write(b'\\n' + b'x' * 3_000_000);"
        "out.write(b'\\n 50%|##  |\\r100%|####|\\r{\"loss\": 1}\\r\\n'); out.write(b'{\"loss\": 2}')"
    )
    assert told(run(python(code))) == [(1, {"loss": 1}), (2, {"loss": 2})]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('bad lr')", "ValueError: bad lr"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL, perhaps because memory ran out"),
        ("print('{\"loss\": 1}'); raise SystemExit(3)", "exit status 3"),
        (
            "print('loss: 0.3')",
            r"exit status 0 and gave no metric: .*; it has loss with output: \{pattern: '\(\?P<name>",
        ),
        ("pass", "exit status 0 and gave no metric"),
    ],
)
def test_a_program_that_fails_says_how(code: str, message: str) -> None:
    with pytest.raises(ProgramFailed, match=message):
        run(python(code))


def test_a_program_that_is_not_there_any_more_fails() -> None:
    with pytest.raises(ProgramFailed, match="cannot be started: No such file"):
        run(Program(text="x", arguments=("./no-such-program",), objective="loss"))


def test_a_program_that_ends_at_sigterm_has_time_to_do_so(tmp_path: Path) -> None:
    code = """
import signal, sys, time
def save(*_):
    print("saving"); time.sleep(0.5); open(sys.argv[1], "w").write("saved"); sys.exit(0)
signal.signal(signal.SIGTERM, save)
print('{"loss": 1}')
time.sleep(60)
"""
    with pytest.raises(TrialEnded):
        run(python(code, str(tmp_path / "saved")), sink=_end)
    assert (tmp_path / "saved").read_text() == "saved"


@pytest.mark.parametrize("complete", [True, False])
def test_after_its_last_step_a_program_may_end_by_itself(tmp_path: Path, complete: bool) -> None:
    def end(report: Report) -> None:
        ended = TrialEnded()
        ended.complete = complete
        raise ended

    code = "import sys, time; print('{\"loss\": 1}'); time.sleep(0.5); open(sys.argv[1], 'w').write('saved')"
    with pytest.raises(TrialEnded):
        run(python(code, str(tmp_path / "saved")), sink=end)
    assert (tmp_path / "saved").exists() is complete


IGNORES = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 2:
    subprocess.Popen([sys.executable, "-c", sys.orig_argv[2], sys.argv[1], "child"])
    print('{"loss": 1}')
time.sleep(60)
"""


def test_a_program_that_ignores_sigterm_is_killed_with_its_children() -> None:
    marker, began = f"marker-{os.getpid()}-{time.monotonic()}", time.monotonic()
    with pytest.raises(TrialEnded):
        run(python(IGNORES, marker, grace_s=0.5), sink=_end)
    assert time.monotonic() - began < 20
    assert gone(marker)


DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
print('{"loss": 1}')
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_what_a_program_has_sent_into_the_background_ends_with_it() -> None:
    marker = f"marker-{os.getpid()}-{time.monotonic()}"
    began = time.monotonic()
    assert told(run(python(DAEMON, marker))) == [(1, {"loss": 1})]
    assert time.monotonic() - began < 20  # although the daemon has the output open
    assert gone(marker)


def test_a_trial_that_is_to_end_need_not_wait_for_a_report() -> None:
    ending = threading.Event()
    threading.Timer(0.5, ending.set).start()
    with pytest.raises(TrialEnded):
        run(python("import time; time.sleep(60)"), ended=ending.is_set)


def test_a_program_that_closes_its_output_is_waited_for() -> None:
    code = "import os, time; print('{\"loss\": 1}'); os.close(1); os.close(2); time.sleep(0.5); os._exit(4)"
    with pytest.raises(ProgramFailed, match="exit status 4"):
        run(python(code))


def test_nothing_remains_when_this_process_is_killed(tmp_path: Path) -> None:
    marker = f"marker-{os.getpid()}-{time.monotonic()}"
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        run(python(IGNORES, marker), sink=lambda _: os.kill(os.getpid(), 9))
        os._exit(0)
    os.waitpid(pid, 0)
    assert gone(marker)


def _end(report: Report) -> None:
    raise TrialEnded
