"""The contract of every built-in trainable."""

from __future__ import annotations

import gc
import importlib
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
import torch

from tests.trainables import tiny
from trainables import BUILTIN
from trainables.configuration import complete
from trainables.contract import run
from trainables.declaration import Declaration, declaration_of
from trainables.process.seeding import seed_all
from trainables.report import RESERVED, Report
from trainables.supervised.training import Training
from trainables.trial import Trial, TrialEnded

DATA = Path(__file__).parents[2] / "examples" / "data"
CHURN = DATA / "telco_churn.csv"
DIGITS = DATA / "digits.npz"

DIGIT_ROWS = {"data": DATA / "digits_by_row.parquet", "target": "digit", "time": "row", "group": "image", "horizon": 1}

MADE = Path(tempfile.mkdtemp(prefix="sweep-contract-"))
"""Where the text and the model are made that no repository has."""

GPT = {"data": MADE / "text.txt", "epochs": 3, "layers": 1, "heads": 2, "width": 8, "context": 16, "batch_size": 64}
LORA = {"data": MADE / "text.txt", "pretrained": MADE / "model", "epochs": 3, "context": 16, "batch_size": 64}

CONFIG: dict[str, dict[str, Any]] = {
    "language": GPT,
    "lora": LORA,
    "linear": {"lr": 0.003, "epochs": 3},
    "sequence": {
        "data": DATA / "sunspots.csv",
        "target": "sunspots",
        "time": "month",
        "horizon": 6,
        "window": 24,
        "epochs": 3,
        "width": 8,
        "batch_size": 512,
    },
    "tabular": {"data": CHURN, "target": "churn", "epochs": 3, "width": 8, "batch_size": 512},
    "vision": {"data": DIGITS, "size": 8, "epochs": 3, "model": "vit", "width": 8, "depth": 1, "batch_size": 512},
}
"""A short training of each. A built-in without one fails the tests."""

VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "language": (
        {"epochs": 4, "dropout": 0.3, "ema": 0.9},
        {"epochs": 4, "tokens": "characters", "optimizer": "sgd", "label_smoothing": 0.1},
    ),
    "lora": (
        {"epochs": 4, "dropout": 0.3, "ema": 0.9},
        {"epochs": 4, "targets": "all", "optimizer": "sgd", "label_smoothing": 0.1},
    ),
    "linear": ({"epochs": 23},),
    "sequence": (
        {"epochs": 4, "model": "tcn", "dropout": 0.3},
        {"epochs": 4, "model": "transformer", "dropout": 0.3, "ema": 0.9},
        {"epochs": 4, "model": "lstm", "layers": 2, "dropout": 0.3, "optimizer": "sgd"},
        {"epochs": 4, "model": "linear", "loss": "mse"},
        {"epochs": 4, **DIGIT_ROWS},
    ),
    "tabular": (
        {"epochs": 4, "optimizer": "sgd", "schedule": "one_cycle", "clip": 0.5, "ema": 0.9},
        {"epochs": 4, "optimizer": "nadamw", "dropout": 0.5, "warmup": 0.2, "label_smoothing": 0.1},
        {"epochs": 4, "block": "resnet", "categories": "embedding"},
    ),
    "vision": (
        {"epochs": 4, "model": "cnn", "augment": "flip_crop", "dropout": 0.5, "optimizer": "sgd"},
        {"epochs": 4, "model": "resnet", "augment": "crop", "ema": 0.9},
        {"epochs": 4, "model": "vit", "dropout": 0.1},
    ),
}
"""Trainings to be interrupted and resumed: whatever has a state of its own, and long enough to be saved before."""


def _live_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())


@pytest.fixture(scope="module", autouse=True)
def _made() -> Iterator[None]:
    tiny.text(MADE / "text.txt")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as other tests train beside these
    yield
    torch.set_num_threads(threads)
    shutil.rmtree(MADE)


@pytest.mark.parametrize("name", BUILTIN)
class TestContract:
    @pytest.fixture(autouse=True)
    def _model(self, name: str) -> None:
        if name == "lora" and not (MADE / "model").exists():
            tiny.causal_model(MADE / "model")

    @pytest.fixture
    def module(self, name: str) -> ModuleType:
        return importlib.import_module(BUILTIN[name].partition(":")[0])

    @pytest.fixture
    def train(self, module: ModuleType, name: str) -> Callable[..., Any]:
        trainable: Callable[..., Any] = getattr(module, BUILTIN[name].partition(":")[2])
        return trainable

    @pytest.fixture
    def declaration(self, train: Callable[..., Any]) -> Declaration:
        declaration = declaration_of(train)
        assert declaration is not None
        return declaration

    def history(self, train: Callable[..., Any], config: dict[str, Any], seed: int = 0) -> list[Report]:
        trial = Trial(config=config, seed=seed, device="cpu")
        run(train, trial)
        return trial.history

    def test_reports_every_step_up_to_its_length(
        self, train: Callable[..., Any], declaration: Declaration, name: str
    ) -> None:
        reports = self.history(train, CONFIG[name])
        assert [report.step for report in reports] == [1, 2, 3]
        assert CONFIG[name][declaration.length] == 3

    def test_all_metrics_are_floats_and_the_same_in_each_report(
        self, train: Callable[..., Any], declaration: Declaration, name: str
    ) -> None:
        given: list[dict[str, Any]] = []

        class Watched(Trial):
            def report(self, *, step: int, **metrics: float) -> None:
                given.append(metrics)
                super().report(step=step, **metrics)

        run(train, Watched(config=CONFIG[name], device="cpu"))

        assert all(type(value) is float for metrics in given for value in metrics.values())
        assert all(metrics.keys() == given[0].keys() for metrics in given)
        assert not given[0].keys() & RESERVED
        assert given[0].keys() <= set(declaration.metrics)

    def test_the_same_seed_gives_the_same_reports(self, train: Callable[..., Any], name: str) -> None:
        assert self.history(train, CONFIG[name], seed=5) == self.history(train, CONFIG[name], seed=5)

    def test_the_seed_is_the_trials(self, train: Callable[..., Any], name: str) -> None:
        same = self.history(train, CONFIG[name], seed=5) == self.history(train, CONFIG[name], seed=6)
        assert same == (name == "linear"), "linear starts from its init_seed, as the article does"

    def test_reads_exactly_the_declared_hyperparameters(
        self, module: ModuleType, declaration: Declaration, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: set[str] = set()

        class Watched(dict[str, Any]):
            def __getitem__(self, key: str) -> Any:
                read.add(key)
                return super().__getitem__(key)

        monkeypatch.setattr(module, "complete", lambda config, declared: Watched(complete(config, declared)))
        for variant in ({}, *VARIANTS[name]):  # what one optimizer does not read, another does
            self.history(module.train, CONFIG[name] | variant)

        assert read == {hyperparameter.name for hyperparameter in declaration.hyperparameters}

    def test_refuses_a_name_it_does_not_declare(self, train: Callable[..., Any], name: str) -> None:
        with pytest.raises(ValueError, match="learning_rat: no such hyperparameter"):
            self.history(train, CONFIG[name] | {"learning_rat": 0.1})

    def test_far_too_high_a_learning_rate_is_reported_as_what_it_is(self, train: Callable[..., Any], name: str) -> None:
        try:
            last = self.history(train, CONFIG[name] | {"lr": 1e6})[-1].metrics
        except OverflowError:  # which a sweep records as diverged, too
            return
        if name == "lora":  # the frozen norm and last layer bound the loss
            good = self.history(train, CONFIG[name] | {"lr": 0.03, "batch_size": 8, "targets": "all"})[-1].metrics
            assert last["val_loss"] > good["val_loss"]
            return
        assert all(math.isnan(value) for metric, value in last.items() if metric.startswith(("train_", "val_")))

    def test_any_batch_size_trains(
        self, train: Callable[..., Any], declaration: Declaration, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also one that leaves a single example for the last update, and one larger than the data."""
        if "batch_size" not in declaration.defaults():
            return
        sizes: list[int] = []
        run_epoch = Training.run_epoch

        def watched(training: Training) -> dict[str, float]:
            sizes.append(len(training.train))
            return run_epoch(training)

        monkeypatch.setattr(Training, "run_epoch", watched)
        for variant in ({}, *VARIANTS[name]):
            config = CONFIG[name] | variant | {"epochs": 1}
            self.history(train, config)
            for batch_size in (sizes[-1] - 1, 10 * sizes[-1]):
                (report,) = self.history(train, config | {"batch_size": batch_size})
                assert math.isfinite(report.metrics["val_loss"])

    def test_fifty_trials_in_one_process_leave_no_memory_behind(self, train: Callable[..., Any], name: str) -> None:
        for _ in range(10):
            self.history(train, CONFIG[name] | {"epochs": 1})
        before = _live_tensors(), psutil.Process().memory_info().rss
        for seed in range(50):
            self.history(train, CONFIG[name] | {"epochs": 1}, seed=seed)
        after = _live_tensors(), psutil.Process().memory_info().rss
        assert after[0] <= before[0], "tensors of earlier trials are still alive"
        assert after[1] - before[1] < 50e6, "bytes of resident memory"

    def test_says_of_itself_what_a_user_needs(self, declaration: Declaration) -> None:
        assert declaration.summary.endswith(".")
        assert all(hyperparameter.meaning for hyperparameter in declaration.hyperparameters)
        complete(
            dict.fromkeys(self.required(declaration), "given") | declaration.defaults(),
            declaration.hyperparameters,
        )

    def required(self, declaration: Declaration) -> set[str]:
        return {h.name for h in declaration.hyperparameters} - declaration.defaults().keys()

    def test_an_end_in_a_report_ends_it(self, train: Callable[..., Any], name: str) -> None:
        reports = []

        def end(report: Report) -> None:
            reports.append(report)
            if report.step == 2:
                raise TrialEnded

        with pytest.raises(TrialEnded):
            run(train, Trial(config=CONFIG[name], device="cpu", sink=end))
        assert len(reports) == 2
        assert self.history(train, CONFIG[name])[:2] == reports, "the next trial is none the worse for it"

    def test_resumed_it_goes_on_to_the_last_digit(
        self, train: Callable[..., Any], declaration: Declaration, name: str, tmp_path: Path
    ) -> None:
        def end(report: Report) -> None:
            if report.step == length - 2:
                raise TrialEnded

        for number, variant in enumerate(VARIANTS[name]):
            config = CONFIG[name] | variant
            length = config[declaration.length]
            whole = self.history(train, config, seed=5)
            directory = tmp_path / str(number)
            with pytest.raises(TrialEnded):
                run(train, Trial(config=config, seed=5, device="cpu", directory=directory, sink=end))
            seed_all(99)  # the generators of another process have another state
            resumed = Trial(config=config, seed=5, device="cpu", directory=directory)
            run(train, resumed)
            assert 1 < resumed.history[0].step < length
            assert resumed.history == whole[resumed.history[0].step - 1 :]

    def test_what_is_complete_is_not_trained_again(self, train: Callable[..., Any], name: str, tmp_path: Path) -> None:
        for reports in (3, 0):
            trial = Trial(config=CONFIG[name], device="cpu", directory=tmp_path)
            run(train, trial)
            assert len(trial.history) == reports

    def test_importing_it_imports_nothing_heavy(self, module: ModuleType, name: str) -> None:
        heavy = {"torch", "numpy", "pandas", "sklearn", "ray"}
        code = f"import sys, {module.__name__}; sys.exit(' '.join({heavy} & sys.modules.keys()) or None)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_linear_trains_and_resumes_without_torch_and_numpy(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from trainables.contract import run
from trainables.trial import Trial
from trainables.builtin.linear import train
for epochs in (1, 2):
    trial = Trial(config={"epochs": epochs}, directory=Path(sys.argv[1]))
    run(train, trial)
    assert [report.step for report in trial.history] == [epochs]
sys.exit(" ".join({"torch", "numpy"} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.json"]
