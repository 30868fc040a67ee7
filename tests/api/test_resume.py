"""``orchestrator.run(resume=...)``, with a function that was given from Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import orchestrator
from orchestrator.api.resumption import extension_to
from orchestrator.core.extend import Extension
from orchestrator.errors import UserError
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec import parse_spec
from tests.api.scripts import run_script

pytestmark = pytest.mark.long

SPEC: dict[str, Any] = {
    "trainable": "train.py:train",
    "fixed": {"epochs": 9},
    "space": {"lr": {"loguniform": [1e-4, 1]}},
    "objective": {"metric": "loss"},
    "budget": {"trials": 10},
}


def extension(before: Mapping[str, Any] = MappingProxyType({}), **sections: Any) -> Extension:
    """From SPEC, as recorded with some sections, to SPEC with other sections."""
    recorded, now = (parse_spec(SPEC | dict(each), base=Path()) for each in (before, sections))
    info = SweepInfo.__new__(SweepInfo)
    object.__setattr__(info, "spec", recorded.to_plain())
    return extension_to(now, "mine", info, Path(), None, given=True)


def test_totals_can_be_raised() -> None:
    assert extension() == Extension()
    assert extension(budget={"trials": 20}) == Extension(trials=20)
    assert extension(budget={"trials": 10, "hours": 2}, resources={"concurrency": 4}) == Extension(
        hours=2.0, concurrency=4
    )
    assert extension(fixed={"epochs": 27}) == Extension(max_steps=27)
    assert extension(name="other", trainable="train.py:other") == Extension()


def test_the_time_of_a_training_can_be_raised() -> None:
    assert extension({"trial": {"max_time": "1h"}}, trial={"max_time": "2h"}) == Extension(max_time=7200.0)
    seconds = {"unit": "seconds", "max": "1h"}
    assert extension({"scheduler": seconds}, scheduler={**seconds, "max": "90m"}) == Extension(max_time=5400.0)
    assert extension({"scheduler": seconds}, scheduler=seconds) == Extension()


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"trial": {"max_time": "1h"}}, "trial.max_time"),
        ({"space": {"lr": {"loguniform": [1e-3, 1]}}}, "space"),
        ({"objective": {"metric": "val_loss"}}, "objective.metric"),
        ({"fixed": {"epochs": 9, "width": 3}}, "fixed.width"),
        ({"fixed": {}}, "fixed"),
        ({"search": {"method": "random"}}, "search.method"),
    ],
)
def test_nothing_else_can_change(sections: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError, match=f"mine was launched with another .*{key}.*; give the spec another name"):
        extension(**sections)


def test_a_sweep_of_a_function_goes_on(tmp_path: Path) -> None:
    done = run_script(
        """
        import os, signal
        from orchestrator.errors import InterruptedSweepError, NoSuchSweepError, UserError

        def slow(config, trial):
            state = trial.restore()
            for step in range(1 if state is None else state["step"] + 1, 6):
                if step == 3 and not os.path.exists("interrupted"):
                    open("interrupted", "w").close()
                    os.kill(config["driver"], signal.SIGINT)
                    import time
                    time.sleep(60)
                trial.save(step=step)
                trial.report(step=step, loss=config["x"] + 1 / step)

        os.chdir(sys.path[0])
        spec = {**SPEC, "fixed": {"driver": os.getpid()}}
        try:
            orchestrator.run(spec, slow, cpus=1)
        except InterruptedSweepError:
            pass
        else:
            raise AssertionError("was not interrupted")
        sweep = orchestrator.run(spec, slow, cpus=1, resume=True)
        assert sweep.name == "slow" and list(sweep.trials["state"]) == ["completed"] * 3, sweep.trials
        more = orchestrator.run(train=slow, overrides=["budget.trials=5"], cpus=1, resume="slow", progress=True)
        assert len(more.trials) == 5

        started = []
        import ray
        ray.init = lambda *args, **kwargs: started.append(1)
        same = orchestrator.run({**spec, "budget": {"trials": 5}}, slow, cpus=1, resume=True)
        assert len(same.trials) == 5 and not started  # there was nothing to do
        for name, arguments in (("nothing", {}), ("slow", {"overrides": ["objective.metric=other"]})):
            try:
                orchestrator.run(train=slow, resume=name, cpus=1, **arguments)
            except UserError as error:
                print("refused:", error)
        try:
            orchestrator.run()
        except UserError as error:
            print("refused:", error)
        assert os.listdir("results") == ["slow"]
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("refused:") == 3
    assert done.stdout.count("began") + done.stdout.count("running") >= 2  # progress=True: lines in a pipe
    assert done.stdout.count("completed") == 2


def test_a_script_may_raise_the_totals_in_itself_and_not_change_its_function(tmp_path: Path) -> None:
    text = """
        FACTOR = 1

        def scaled(config, trial):
            trial.report(step=1, loss=FACTOR * config["x"])

        SPEC["budget"] = {"trials": 2}
        print(len(orchestrator.run(SPEC, scaled, cpus=1, resume=True).trials), "trials")
    """
    assert "2 trials" in run_script(text, tmp_path).stdout
    more = run_script(text.replace('"trials": 2', '"trials": 3'), tmp_path)
    assert "3 trials" in more.stdout, more.stderr
    other = run_script(text.replace('"trials": 2', '"trials": 4').replace("FACTOR = 1", "FACTOR = 2"), tmp_path)
    assert other.returncode == 1
    assert "CodeChangedError: script.py has changed since scaled was launched" in other.stderr
    copied = (tmp_path / "results" / "scaled" / "code" / "script.py").read_text()
    assert copied.splitlines()[0] == "FACTOR = 1"
    assert "budget" not in copied


def test_from_the_command_line_the_function_of_a_script_goes_on_wherever_all_was_moved_to(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    done = run_script(
        """
        import os

        def many(config, trial):
            train(config, trial)

        many.scored = train
        os.chdir(sys.path[0])
        orchestrator.run(SPEC, many, cpus=1)
        inside = (lambda inner: lambda config, trial: inner(config, trial))(train)
        orchestrator.run({**SPEC, "name": "closure"}, inside, cpus=1)
        """,
        tmp_path / "before",
    )
    assert done.returncode == 0, done.stderr
    now = (tmp_path / "before").rename(tmp_path / "now")
    (now / "results" / "many").rename(now / "results" / "renamed")

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        program = [sys.executable, "-m", "orchestrator", *words]
        return subprocess.run(program, cwd=now, env=environment, capture_output=True, text=True, timeout=200)

    more = command("resume", "renamed", "--trials", "5", "--cpus", "1")
    assert more.returncode == 0, more.stderr
    sweep = orchestrator.load(now / "results" / "renamed")
    assert (sweep.name, sweep.info.name, sweep.info.directory) == ("renamed", "many", str(now))
    assert set(sweep.trials["sweep"]) == {"many"}
    for rows in (sweep.trials, sweep.metrics, sweep.events.dropna(subset="trial")):
        assert set(rows["trial_id"]) == {f"many-{trial}" for trial in range(5)}
    assert "launched as many" in command("show", "renamed").stdout
    confirmed = command("confirm", "renamed", "--top", "1", "--seeds", "2", "--cpus", "1")
    assert confirmed.returncode == 0, confirmed.stderr
    assert orchestrator.load(now / "results" / "renamed-confirm").info.parent == "renamed"
    for words, how in (
        (("resume", "closure", "--trials", "5"), "orchestrator.run(train=train, resume='closure')"),
        (("confirm", "closure"), f"orchestrator.confirm('{now}/results/closure', train)"),
    ):
        refused = command(*words, "--results", str(now / "results"))
        assert refused.returncode == 2
        assert refused.stderr.strip().endswith(f"Give it again in Python: {how}"), refused.stderr
