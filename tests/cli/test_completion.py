"""TAB completion by the protocols of the shells: of sweeps, trials, keys of the spec, and their values."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.app import main
from tests.cli.recorded import record

SPEC = """\
trainable: tabular
fixed: {data: breast_cancer}
space: {learning_rate: {loguniform: [1e-4, 1e-1]}}
objective: {metric: val_loss}
budget: {trials: 40}
"""


@pytest.fixture
def complete(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Completes a command line as bash asks for it; the cursor is behind the last word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_RESULTS", raising=False)
    record(tmp_path / "results", name="churn")
    record(tmp_path / "results", name="churn-2", budget={"trials": 3})
    record(tmp_path / "elsewhere", name="other")
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "mine.yaml").write_text(SPEC.replace("tabular", "train.py:train"))
    (tmp_path / "broken.yaml").write_text("a: [")

    def run(*words: str) -> list[str]:
        monkeypatch.setenv("_SWEEP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["sweep", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        assert main([]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out.split()

    return run


class TestNames:
    def test_commands(self, complete) -> None:
        assert complete("c") == ["check", "compare", "confirm", "clean"]

    @pytest.mark.parametrize("command", ["show", "best", "resume", "watch", "report", "next", "stop", "logs", "clean"])
    def test_sweeps(self, complete, command: str) -> None:
        assert sorted(complete(command, "ch")) == ["churn", "churn-2"]

    def test_a_second_sweep(self, complete) -> None:
        assert complete("compare", "churn", "churn-") == ["churn-2"]

    def test_sweeps_elsewhere(self, complete, monkeypatch: pytest.MonkeyPatch) -> None:
        assert complete("show", "--results", "elsewhere", "") == ["other"]
        monkeypatch.setenv("SWEEP_RESULTS", "elsewhere")
        assert complete("show", "") == ["other"]

    def test_paths_are_left_to_the_shell(self, complete) -> None:
        assert complete("show", "results/ch") == []

    def test_trials(self, complete) -> None:
        assert complete("show", "churn", "--trial", "1") == ["1", "10", "11"]
        assert complete("stop", "--trial", "") == ["0", "1", "2"]
        assert complete("logs", "churn", "1") == ["1", "10", "11"]
        assert complete("logs", "2") == ["2"]


class TestSet:
    def test_keys(self, complete) -> None:
        assert complete("launch", "spec.yaml", "--set", "search.") == [
            f"search.{key}=" for key in ("method", "seed", "start", "configs", "repeats", "sampler", "options", "from")
        ]

    def test_keys_of_this_spec(self, complete) -> None:
        assert complete("plan", "spec.yaml", "--set", "space.") == ["space.learning_rate="]
        assert complete("launch", "broken.yaml", "--set", "space.") == []

    def test_a_single_key_comes_with_its_values(self, complete) -> None:
        assert complete("launch", "spec.yaml", "--set", "budget.tr") == ["budget.trials=", "budget.trials=40"]

    def test_values_behind_an_equals_sign_at_which_bash_splits(self, complete) -> None:
        assert complete("launch", "spec.yaml", "--set", "search.method", "=", "ra") == ["random"]
        assert complete("launch", "spec.yaml", "--set", "=", "search.method", "=", "ra") == ["random"]
        assert "sobol" in complete("launch", "spec.yaml", "--set", "search.method", "=")

    def test_metrics_of_a_built_in_trainable(self, complete) -> None:
        found = complete("launch", "spec.yaml", "--set", "objective.metric", "=", "val")
        assert "val_loss" in found
        assert all(each.startswith("val") for each in found)

    def test_metrics_that_the_own_trainable_has_recorded(self, complete) -> None:
        assert complete("launch", "mine.yaml", "--set", "objective.metric", "=") == ["loss"]

    def test_other_shells_do_not_split(self, complete, capfd, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("_SWEEP_COMPLETE", "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "sweep launch spec.yaml --set search.method=ra")
        assert main([]) == 0
        assert capfd.readouterr().out.split() == ["search.method=random"]


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--results", "nowhere", ""),
        ("show", "--trial", "one", "--trial", ""),
        ("logs", "no-such-sweep", ""),
        ("no-such-command", ""),
        ("launch", "nowhere.yaml", "--set", "space."),
        ("launch", "--no-such-option", ""),
        ("launch", "spec.yaml", "--set", "no.such.key", "=", ""),
    ],
)
def test_errors_are_silent(complete, words: tuple[str, ...]) -> None:
    complete(*words)  # which looks at stderr and the exit code


def test_damaged_records_are_silent(complete, tmp_path: Path) -> None:
    (tmp_path / "results" / "churn" / "trials.parquet").write_bytes(b"no")
    assert complete("show", "churn", "--trial", "") == []


def test_in_bash(tmp_path: Path) -> None:
    """The script that `--install-completion` installs, and a TAB."""
    record(tmp_path / "results", name="churn")
    program = tmp_path / "sweep"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m orchestrator "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(_SWEEP_COMPLETE=source_bash sweep)"
        COMP_WORDS=(sweep show ch); COMP_CWORD=2
        $(complete -p sweep | sed 's/.*-F \\([^ ]*\\).*/\\1/') sweep
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HOME": str(tmp_path),
    }
    ran = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("churn\n", "")
