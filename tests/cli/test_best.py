"""best --checkpoint and best --evaluate: what is copied, what is scored and recorded, and what is said of it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from orchestrator.after import evaluate
from orchestrator.analysis.summary.evaluations import Evaluation, evaluations
from orchestrator.analysis.summary.ranking import best_trials
from orchestrator.api.answers import best_of
from orchestrator.code.files import code_files
from orchestrator.control.lease import Lease
from orchestrator.core.rows import State
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import read_sweep_json
from orchestrator.spec import parse_spec
from orchestrator.spec.fingerprint import fingerprints
from orchestrator.spec.load_trainable import declared
from tests.cli.conftest import Ran
from tests.cli.recorded import record
from trainables.checkpoints import files
from trainables.checkpoints.saving import Checkpoints

Sweep = Callable[..., Ran]

TRAIN = """
from pathlib import Path
import sys, time
from orchestrator import Hyperparameter, declare


def train(config, trial):
    raise AssertionError("nothing is trained")


def evaluate(config, trial):
    print("scoring")
    with open("looks", "a") as file:
        file.write("x")
    return {"test_loss": trial.restore()["weight"] + config["lr"], "test_seed": trial.seed}


train.evaluate = evaluate
"""


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    """A sweep in which nothing is stopped early: the best trial is completed, its best step 9 of 9."""
    (tmp_path / "results").mkdir()
    write(tmp_path, TRAIN)
    return record(tmp_path / "results", scheduler={"method": "none"})


def write(tmp_path: Path, text: str) -> None:
    (tmp_path / "results" / "train.py").write_text(textwrap.dedent(text))


def winner(paths: SweepPaths) -> int:
    return best_trials(paths, read_sweep_json(paths.info), 1)[0].trial


def save(paths: SweepPaths, trial: int, *, tensors: bool = False, best: int = 9) -> Path:
    """Checkpoints of a trial, the weight in them being the step."""
    saved = Checkpoints(paths.checkpoints(trial))
    for step in (best, 10):
        saved.save(step, {"weight": torch.full((3,), float(step)) if tensors else float(step)})
        saved.report(step, float(step))
    found = files.find(paths.checkpoints(trial), "best")
    assert found is not None
    return found


def save_files(paths: SweepPaths, trial: int, source: Path) -> Path:
    """A checkpoint of step 9 with a file, if its name has a suffix, or a directory of a trial."""
    if source.suffix:
        source.write_bytes(b"PK\x03\x049.0")
    else:
        (source / "shards").mkdir(parents=True)
        (source / "shards" / ".metadata").write_text("2 shards")
        (source / "model.safetensors").write_bytes(b"9.0")
    saved = Checkpoints(paths.checkpoints(trial))
    saved.save(9, {}, source)
    saved.report(9, 0.1)
    return source


class TestConfiguration:
    def test_yaml_that_every_reader_understands(self, sweep: Sweep, results: Path) -> None:
        ran = sweep("best", "made-up")
        assert ran.err == "# made-up, trial 3: loss 1.00002 at step 1 (min, the best of a trial)\n"
        config = yaml.safe_load(ran.out)  # YAML 1.1
        assert config["lr"] == pytest.approx(1.879e-05, rel=1e-3)
        assert config["sizes"] == [8, 16]
        assert json.loads(sweep("best", "made-up", "--format", "json").out) == config

    def test_there_may_be_none(self, sweep: Sweep, results: Path) -> None:
        ran = sweep("best")
        assert (ran.code, ran.out) == (1, "")
        assert "no trial of made-up-2 has a result yet" in ran.err


class TestCheckpoint:
    def test_it_is_copied_and_can_be_loaded(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        source = save(paths, winner(paths), tensors=True)
        ran = sweep("best", "--checkpoint", "model.pt")
        assert ran.code == 0
        assert ran.out == sweep("best").out
        assert f"# wrote model.pt: trial {winner(paths)}'s best checkpoint, step 9, loss 0.1" in ran.err
        assert (tmp_path / "model.pt").read_bytes() == source.read_bytes()
        state = files.load(tmp_path / "model.pt")
        assert state["step"] == 9
        assert torch.load(tmp_path / "model.pt", weights_only=True)["state"]["weight"].tolist() == [9.0] * 3
        assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pt", "results"]

    def test_into_a_directory(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        save(paths, winner(paths))
        assert sweep("best", "--checkpoint", ".").code == 0
        assert files.load(tmp_path / f"made-up-{winner(paths)}.json")["weight"] == 9.0

    def test_what_the_trial_has_saved_is_copied_as_it_is(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        trial = winner(paths)
        source = save_files(paths, trial, tmp_path / "output" / "checkpoint-9")
        ran = sweep("best", "--checkpoint", "model")
        assert f"# wrote model: trial {trial}'s best checkpoint, step 9, loss 0.1" in ran.err
        assert ran.err.endswith("11 B\n")
        assert (tmp_path / "model" / "shards" / ".metadata").read_text() == "2 shards"
        assert (tmp_path / "model" / "model.safetensors").read_bytes() == b"9.0"
        (tmp_path / "models").mkdir()
        assert sweep("best", "--checkpoint", "models/").code == 0
        assert (tmp_path / "models" / f"made-up-{trial}" / "model.safetensors").read_bytes() == b"9.0"
        (tmp_path / "model.pt").write_bytes(b"PK\x03\x04")
        for taken in ("model.pt", "models"):
            ran = sweep("best", "--checkpoint", taken)
            assert "exists and a directory replaces nothing: it is not overwritten" in ran.err
        found = best_of(paths, read_sweep_json(paths.info))
        assert found is not None
        assert found.checkpoint is not None
        assert found.checkpoint.name == source.name
        assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.pt", "models", "output", "results"]

    def test_a_file_that_the_trial_has_saved(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        trial = winner(paths)
        save_files(paths, trial, tmp_path / "epoch=9.ckpt")
        assert sweep("best", "--checkpoint", ".").code == 0
        assert (tmp_path / f"made-up-{trial}.ckpt").read_bytes() == b"PK\x03\x049.0"
        assert "# replaced made-up" in sweep("best", "--checkpoint", f"made-up-{trial}.ckpt").err
        next(paths.checkpoints(trial).glob("step-9-*/epoch=9.ckpt")).unlink()
        ran = sweep("best", "--checkpoint", "other.ckpt")
        assert ran.code != 0
        assert "best.json is damaged" in ran.err
        assert not (tmp_path / "other.ckpt").exists()

    def test_the_last_one_where_the_last_is_the_result(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        objective = {"metric": "loss", "mode": "min", "at": "last"}
        other = record(tmp_path / "results", scheduler={"method": "none"}, objective=objective)
        save(other, winner(other))
        assert sweep("best", other.name, "--checkpoint", "a.json").code == 0
        assert files.load(tmp_path / "a.json")["step"] == 10

    def test_the_last_one_where_there_is_no_best(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        save(paths, winner(paths)).unlink()
        assert "last checkpoint, step 10, " in sweep("best", "--checkpoint", "a.json").err
        assert files.load(tmp_path / "a.json")["step"] == 10

    def test_a_checkpoint_is_replaced_and_nothing_else_is(
        self, sweep: Sweep, paths: SweepPaths, tmp_path: Path
    ) -> None:
        save(paths, winner(paths), tensors=True)
        (tmp_path / "model.pt").write_text("precious")
        ran = sweep("best", "--checkpoint", "model.pt")
        assert (ran.code, ran.out) == (2, "")
        assert "model.pt exists and is no checkpoint: it is not overwritten" in ran.err
        assert (tmp_path / "model.pt").read_text() == "precious"
        torch.save({}, tmp_path / "model.pt")
        assert "# replaced model.pt" in sweep("best", "--checkpoint", "model.pt").err
        assert files.load(tmp_path / "model.pt")["step"] == 9

    @pytest.mark.parametrize(
        ("target", "said"),
        [
            ("nowhere/", "there is no directory nowhere/"),
            ("model.pt", "under a name that ends in .json"),
            ("nowhere/model.json", "cannot write nowhere/model.json: there is no directory nowhere"),
            ("results/train.py/model.json", "there is no directory results/train.py"),
        ],
    )
    def test_where_it_cannot_go(self, sweep: Sweep, paths: SweepPaths, target: str, said: str) -> None:
        save(paths, winner(paths))
        ran = sweep("best", "--checkpoint", target)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err

    def test_a_damaged_one_is_not_copied(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        save(paths, winner(paths), tensors=True).write_bytes(b"PK\x03\x04")
        ran = sweep("best", "--checkpoint", "model.pt")
        assert (ran.code, ran.out) == (1, "")
        assert "best.pt is damaged: " in ran.err
        assert not (tmp_path / "model.pt").exists()

    def test_there_may_be_none(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        ran = sweep("best", "--checkpoint", "model.pt")
        assert (ran.code, ran.out) == (2, "")
        assert "the trainable never called trial.save, or the file was removed" in ran.err
        none = record(tmp_path / "results", scheduler={"method": "none"}, trial={"keep": "none"})
        assert "the spec sets trial.keep: none" in sweep("best", none.name, "--checkpoint", "model.pt").err


class TestEvaluate:
    def test_it_is_scored_once_and_recorded(self, sweep: Sweep, paths: SweepPaths) -> None:
        trial = winner(paths)
        save(paths, trial)
        plain = sweep("best")
        ran = sweep("best", "--evaluate")
        assert (ran.code, ran.out) == (0, plain.out)
        assert f"trial {trial}'s best checkpoint, step 9, on the test set: test_loss 9.00" in ran.err
        assert "scoring" in ran.err, "what the user's code prints is no part of the answer"
        again = sweep("best", "--evaluate")
        assert (again.code, again.out) == (0, plain.out)
        assert "not scored again" in again.err
        assert [line for line in again.err.splitlines() if "on the test set" in line] == [
            line for line in ran.err.splitlines() if "on the test set" in line
        ]
        assert (paths.root.parent / "looks").read_text() == "x"
        found = evaluations(paths)
        assert [(each.trial, each.step, each.checkpoint) for each in found] == [(trial, 9, "best")]
        assert found[0].scores["test_loss"] == pytest.approx(9.0, abs=0.11)
        assert not paths.lease.exists()

    def test_show_shows_it(self, sweep: Sweep, paths: SweepPaths) -> None:
        trial = winner(paths)
        save(paths, trial)
        assert json.loads(sweep("show", "--format", "json").out)["evaluations"] == []
        sweep("best", "--evaluate")
        line = f"trial {trial}'s best checkpoint, step 9, on the test set: test_loss 9.00"
        assert line in sweep("show").out
        assert json.loads(sweep("show", "--format", "json").out)["evaluations"][0]["trial"] == trial
        assert "evaluation         test_loss 9.00" in sweep("show", "--trial", trial).out
        row = json.loads(sweep("show", "--trial", trial, "--format", "json").out)
        assert row["evaluation"]["scores"].keys() == {"test_loss", "test_seed"}
        assert row["evaluation"]["scores"]["test_seed"] == row["seed"]
        assert "evaluation" not in sweep("show", "--trial", trial - 1).out

    def test_another_winner_is_another_look(self, sweep: Sweep, paths: SweepPaths) -> None:
        info = read_sweep_json(paths.info)
        first, second = best_trials(paths, info, 2)
        for ranked in (first, second):
            save(paths, ranked.trial)
        evaluate.record(paths, info.name, evaluate.evaluate(paths, info, second))
        ran = sweep("best", "--evaluate")
        assert f"# trial {first.trial}'s best checkpoint" in ran.err
        assert f"score 2 on the test set, which is no longer unseen; earlier: trial {second.trial}'s" in (ran.err)
        assert [each.trial for each in evaluations(paths)] == [second.trial, first.trial]
        assert "not scored again" in sweep("best", "--evaluate").err

    def test_a_winner_that_went_on_and_improved_is_another_look(self, sweep: Sweep, paths: SweepPaths) -> None:
        info = read_sweep_json(paths.info)
        save(paths, winner(paths))
        found = evaluate.evaluate(paths, info, best_trials(paths, info, 1)[0])
        evaluate.record(paths, paths.name, Evaluation(**{**vars(found), "value": found.value + 1}))
        assert "score 2 on the test set" in sweep("best", "--evaluate").err

    def test_not_while_it_runs(self, sweep: Sweep, paths: SweepPaths) -> None:
        save(paths, winner(paths))
        lease = Lease.acquire(paths.lease)
        ran = sweep("best", "--evaluate")
        assert (ran.code, ran.out) == (2, "")
        assert "its best trial may still change" in ran.err
        lease.release()
        assert evaluations(paths) == []

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("def train(config, trial): ...", "write a function evaluate(config, trial) that loads trial.restore()"),
            ("class train:\n def step(self): ...", "give the class a method evaluate() that returns scores"),
        ],
    )
    def test_a_trainable_that_says_nothing_of_it(
        self, sweep: Sweep, paths: SweepPaths, tmp_path: Path, text: str, said: str
    ) -> None:
        save(paths, winner(paths))
        write(tmp_path, text)
        ran = sweep("best", "--evaluate", "--checkpoint", "model.json")
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err
        assert not (tmp_path / "model.json").exists()

    @pytest.mark.parametrize("target", ["nowhere/model.json", "model.pt", "results/train.py"])
    def test_the_test_set_stays_unseen_where_the_checkpoint_cannot_be_copied(
        self, sweep: Sweep, paths: SweepPaths, target: str
    ) -> None:
        save(paths, winner(paths))
        assert sweep("best", "--evaluate", "--checkpoint", target).code == 2
        assert evaluations(paths) == []

    def test_what_its_code_raises(self, sweep: Sweep, paths: SweepPaths, tmp_path: Path) -> None:
        save(paths, winner(paths))
        write(
            tmp_path, "def train(config, trial): ...\ndef evaluate(config, trial):\n  1 / 0\ntrain.evaluate = evaluate"
        )
        ran = sweep("best", "--evaluate")
        assert (ran.code, ran.out) == (1, "")
        assert 'train.py", line 3, in evaluate' in ran.err
        assert ran.err.splitlines()[-1] == (
            "error: evaluate failed with ZeroDivisionError: division by zero (train.py:3); nothing was recorded"
        )
        assert evaluations(paths) == []
        assert not paths.lease.exists()

    def test_changed_code_is_said_and_changed_data_refused(
        self, sweep: Sweep, paths: SweepPaths, tmp_path: Path
    ) -> None:
        save(paths, winner(paths))
        declares = 'declare(Hyperparameter(name="data", type=Path, default="", meaning="a"), *(Hyperparameter('
        declares += 'name=name, type=kind, default=None, meaning="b") for name, kind in'
        declares += ' {"epochs": int, "lr": float, "kind": str, "sizes": list}.items()), evaluate=evaluate)(train)'
        write(tmp_path, TRAIN.replace("train.evaluate = evaluate", declares))
        (tmp_path / "results" / "data").mkdir()
        data = tmp_path / "results" / "data" / "a.csv"
        data.write_text("a")
        info, base = read_sweep_json(paths.info), tmp_path / "results"
        spec = parse_spec(info.spec, base=base, resolve=declared)
        now = fingerprints(code_files(spec.trained, base), spec, declared(spec.trained, base), base)
        assert now.keys() == {"train.py", "data data/a.csv"}
        held = json.loads(paths.info.read_text())
        held["fingerprints"] = {**now, "train.py": "code sha256 of another"}
        paths.info.write_text(json.dumps(held))

        data.write_text("b")
        ran = sweep("best", "--evaluate")
        assert ran.code == 2
        assert "(data data/a.csv), so the test set may now contain rows that the model was trained on" in ran.err
        assert evaluations(paths) == []
        data.write_text("a")
        ran = sweep("best", "--evaluate")
        assert ran.code == 0
        assert "# since the launch, train.py changed" in ran.err
        assert evaluations(paths)[0].changed == ("train.py",)

    def test_a_damaged_checkpoint(self, sweep: Sweep, paths: SweepPaths) -> None:
        save(paths, winner(paths)).write_text("{")
        ran = sweep("best", "--evaluate")
        assert (ran.code, ran.out) == (1, "")
        assert "best.json is damaged" in ran.err

    def test_the_place_it_was_launched_in_is_gone(self, sweep: Sweep, paths: SweepPaths) -> None:
        held = json.loads(paths.info.read_text())
        paths.info.write_text(json.dumps({**held, "directory": "/nowhere"}))
        ran = sweep("best", "--evaluate")
        assert ran.code == 2
        assert "was launched in /nowhere" in ran.err

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_a_long_evaluation_shows_that_it_lives_and_learns_if_it_was_given_up(
        self, sweep: Sweep, paths: SweepPaths, tmp_path: Path, taken_over: bool
    ) -> None:
        save(paths, winner(paths))
        write(
            tmp_path,
            f"""
            import json, time
            from pathlib import Path
            def train(config, trial): ...
            def evaluate(config, trial):
                trial.restore()
                lease = Path("{paths.name}/lease.json")
                if {taken_over}:
                    lease.write_text("another's")
                time.sleep(2.2)
                return {{"test_beats": 0 if {taken_over} else json.loads(lease.read_text())["counter"]}}
            train.evaluate = evaluate
            """,
        )
        ran = sweep("best", "--evaluate")
        assert ran.code == taken_over
        assert [each.scores["test_beats"] >= 1 for each in evaluations(paths)] == [True] * (not taken_over)
        assert ("another driver has taken over" in ran.err) == taken_over

    def test_whatever_became_of_the_trial(self, sweep: Sweep, tmp_path: Path) -> None:
        (tmp_path / "results").mkdir()
        write(tmp_path, TRAIN)
        halted = record(tmp_path / "results", halt_after=4)
        best = best_trials(halted, read_sweep_json(halted.info), 1)[0]
        assert best.state is State.STOPPED
        save(halted, best.trial)
        assert sweep("best", "--evaluate").code == 0
