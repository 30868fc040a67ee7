"""LCBench: predicted learning curves of MLPs on OpenML data sets. README.md says where the model comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.tasks import Config, Curve, Family, Task

HERE = Path(__file__).parent
EPOCHS = 52
COARSE = (20, 36, 52)
"""The epochs at which random configurations are looked at; the best of them counts."""

TIMED = 3000
"""Random configurations whose seconds are taken."""

BLOCK = 1024
"""Rows that the model takes at a time: small blocks stay in the cache."""

SPACE: Mapping[str, Mapping[str, Any]] = {
    "batch_size": {"logint": [16, 512]},
    "learning_rate": {"loguniform": [1e-4, 1e-1]},
    "momentum": {"uniform": [0.1, 0.99]},
    "weight_decay": {"uniform": [1e-5, 1e-1]},
    "num_layers": {"int": [1, 5]},
    "max_units": {"logint": [64, 1024]},
    "max_dropout": {"uniform": [0.0, 1.0]},
}
"""In the order of the model's inputs; the bounds are those of config_space.json."""


@cache
def family() -> Family:
    """The development tasks."""
    codes = json.loads((HERE / "encoding.json").read_text())["OpenML_task_id"]
    surrogate = Surrogate(HERE / "lcbench_dev.onnx", codes)
    return Family(
        name="lcbench",
        tasks={
            name: Task(
                name=name,
                space=SPACE,
                curve=partial(surrogate.curve, name),
                steps=EPOCHS,
                finals=partial(surrogate.finals, name),
            )
            for name in sorted(codes, key=int)
        },
        point=1.0,
    )


class Surrogate:
    """The surrogate model. A curve takes about a millisecond on one core."""

    def __init__(self, model: Path, codes: Mapping[str, int]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._model = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._codes = codes

    def curve(self, task: str, config: Config) -> Curve:
        """Seconds and validation accuracy in per cent after each epoch."""
        seconds, accuracy = self._predict(task, [config], range(1, EPOCHS + 1))
        return {"elapsed": seconds[0], "true": accuracy[0]}

    def finals(self, task: str, configs: Sequence[Config]) -> tuple[np.ndarray, np.ndarray]:
        """The best accuracy of each at a few epochs, and seconds, NaN where they were not asked for."""
        _, accuracy = self._predict(task, configs, COARSE)
        timed, _ = self._predict(task, configs[:TIMED], range(1, EPOCHS + 1))
        seconds = np.full(len(configs), np.nan)
        seconds[: len(timed)] = timed[:, -1]
        return accuracy.max(axis=1), seconds

    def _predict(self, task: str, configs: Sequence[Config], epochs: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (not decreasing) and accuracies, each with a row a configuration and a column an epoch."""
        rows = np.array([[config[name] for name in SPACE] for config in configs], dtype=np.float32)
        inputs = np.empty((len(rows), len(epochs), 1 + len(SPACE)), dtype=np.float32)
        inputs[:, :, 0] = np.array(epochs)
        inputs[:, :, 1:] = rows[:, None, :]
        flat = inputs.reshape(-1, inputs.shape[-1])
        code = np.full((BLOCK, 1), self._codes[task], dtype=np.int32)
        blocks = [flat[at : at + BLOCK] for at in range(0, len(flat), BLOCK)]
        answers = [self._model.run(None, {"x_cat": code[: len(block)], "x_cont": block})[0] for block in blocks]
        outputs = np.concatenate(answers)[:, :2].astype(np.float64).reshape(len(rows), len(epochs), 2)
        seconds = np.maximum.accumulate(np.maximum(outputs[:, :, 0], 1e-3), axis=1)
        return seconds, outputs[:, :, 1]
