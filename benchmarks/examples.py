"""What does tuning bring? Each example tuned, as its trainable is by default, and a baseline on the same rows.

``python -m benchmarks.examples run`` launches every example (``run 02_churn`` only that one) and keeps the figures in
benchmarks/examples.json; ``page`` writes docs/results.md from them, and ``page --check`` tells whether it is out of
date. The test part is scored once per row, with the checkpoint that the validation part has chosen; baselines are
fitted on the training part.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.spec.load_trainable import declared, load
from trainables.configuration import complete
from trainables.evaluation import evaluates

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
FIGURES = Path(__file__).with_suffix(".json")
PAGE = ROOT / "docs" / "results.md"

Scores = Mapping[str, float]

HEAD = """\
# What tuning brings

Written by `python -m benchmarks.examples page` from [the figures](../benchmarks/examples.json) of `python -m
benchmarks.examples run`. That launches each example and scores its best trial on the test part with `sweep best
--evaluate`; it does the same with the one configuration that the trainable has by default, and fits baselines to the
same training rows. Where a default lies outside of an example's space, the nearest value in it is taken. Every row is
one run with one seed (`search.seed: 0`), so small differences mean nothing. What is better than the tuned network is
**bold**: where a default is, the validation part has chosen what the test part does not confirm, as happens on small
tables that a linear model fits; `sweep confirm` trains the best configurations with more seeds.

Baselines are scikit-learn's with its defaults: `HistGradientBoosting`, and `LogisticRegression` or `RidgeCV` on
standardized numbers and one-hot categories. Forecasts are compared with the last value (naive) and with the value one
season ago (seasonal naive), text with compressors. Times include the start of Ray.
"""

METRICS = {
    "auroc": ("AUROC", True),
    "accuracy": ("accuracy", True),
    "rmse": ("RMSE", False),
    "mase": ("MASE", False),
    "bits_per_token": ("bits per token", False),
}
"""The score of an example, and whether more is better."""


def main() -> None:
    """Run the examples, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.examples", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    run = commands.add_parser("run", help="launch examples, all by default, and keep their figures")
    run.add_argument("names", nargs="*", metavar="EXAMPLE")
    run.add_argument("--records", type=Path, help="directory in which the sweeps are recorded, and stay")
    commands.add_parser("page", help="write docs/results.md").add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.command == "run":
        for name in given.names or names():
            with tempfile.TemporaryDirectory() as scratch:
                _keep(name, measured(name, (given.records or Path(scratch)).resolve()))
        return
    page = written(json.loads(FIGURES.read_text()))
    if not given.check:
        PAGE.write_text(page)
    elif PAGE.read_text() != page:
        raise SystemExit("docs/results.md is out of date; run python -m benchmarks.examples page")


def names() -> list[str]:
    """The examples that have a test part and fit this machine."""
    return [
        path.stem for path in sorted(EXAMPLES.glob("*.yaml")) if not path.stem.endswith("_gpu") and _spec(path.stem)[1]
    ]


def _spec(name: str) -> tuple[dict[str, Any], bool]:
    """An example, and whether its trainable can be scored on a test part."""
    from ruamel.yaml import YAML

    spec = YAML(typ="safe").load((EXAMPLES / f"{name}.yaml").read_text())
    return spec, evaluates(load(spec["trainable"], EXAMPLES))


def measured(name: str, records: Path) -> dict[str, Any]:
    """Everything that the page says of an example; its sweeps are recorded in that directory."""
    spec, _ = _spec(name)
    untuned = {
        "name": f"{spec['name']}-default",
        "search": {"method": "list", "configs": [_default(name)]},
        "budget": {},
        "scheduler": {"method": "none"},
    }
    tuned, seconds = _swept(spec, records)
    default, _ = _swept({**spec, **untuned}, records)
    return {
        "trainable": spec["trainable"],
        "data": str(spec["fixed"]["data"]),
        "trials": spec["budget"]["trials"],
        "seconds": round(seconds),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "tuned": tuned,
        "default": default,
        "baselines": BASELINES[spec["trainable"]](_complete(spec)),
    }


def _default(name: str) -> dict[str, Any]:
    """What the trainable has by default for the searched hyperparameters; the nearest in the space where it is not."""
    from orchestrator.spec import read_spec

    spec = read_spec(EXAMPLES / f"{name}.yaml")
    declaration = declared(str(spec.trainable), EXAMPLES)
    assert declaration is not None
    defaults = declaration.defaults()
    return spec.parameter_space().draw(lambda each, distribution: _nearest(distribution, defaults[each]))


def _nearest(distribution: Any, wanted: Any) -> Any:
    if distribution.contains(wanted):
        return wanted
    known = distribution.values() or [distribution.from_unit(end / 1_000) for end in range(1_001)]
    return min(known, key=lambda each: abs(each - wanted)) if isinstance(wanted, int | float) else known[0]


def _complete(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The fixed values and the defaults."""
    declaration = declared(spec["trainable"], EXAMPLES)
    assert declaration is not None
    fixed = {**spec["fixed"], "data": str(EXAMPLES / spec["fixed"]["data"])}
    return complete(fixed, declaration.hyperparameters)


def _swept(spec: Mapping[str, Any], records: Path) -> tuple[dict[str, float], float]:
    """The scores on the test part of the best trial of a sweep, and the seconds of its launch."""
    from orchestrator.analysis.summary.evaluations import evaluations
    from orchestrator.records.paths import SweepPaths

    fixed = {**spec["fixed"], "data": str(EXAMPLES / spec["fixed"]["data"])}
    records.mkdir(parents=True, exist_ok=True)
    path = records / f"{spec['name']}.yaml"
    path.write_text(json.dumps({**spec, "fixed": fixed}))
    began = time.monotonic()
    _sweep("launch", str(path), "--results", str(records))
    seconds = time.monotonic() - began
    _sweep("best", spec["name"], "--evaluate", "--results", str(records))
    return dict(evaluations(SweepPaths(records / spec["name"]))[-1].scores), seconds


def _sweep(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "orchestrator", *words], check=True, capture_output=True)


# ---------------------------------------------------------------------------------------------------- baselines


def of_table(config: Mapping[str, Any]) -> dict[str, Scores]:
    """Gradient boosting and a linear model on the rows of a table."""
    import pandas as pd
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    from trainables.builtin.tabular_check import choice_of
    from trainables.builtin.tabular_columns import plain
    from trainables.builtin.tabular_source import read_source

    source = read_source(config["data"], choice_of(config))
    features = plain(source.features)
    text, number = (make_column_selector(**{which: object}) for which in ("dtype_include", "dtype_exclude"))
    numbers = make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler())
    coded = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), text), remainder="passthrough"
    )
    one_hot = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), (numbers, number))
    train, test = source.rows.train, source.rows.test

    def encoded(encoder: Any) -> tuple[Any, Any]:
        fitted = encoder.fit(features.iloc[train])
        parts = [pd.DataFrame(_dense(fitted.transform(features.iloc[rows]))).to_numpy() for rows in (train, test)]
        return parts[0], parts[1]

    return _baselines(
        boosted=encoded(coded),
        linear=encoded(one_hot),
        train=source.target[train],
        test=source.target[test],
        classes=len(source.classes),
    )


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else values


def of_images(config: Mapping[str, Any]) -> dict[str, Scores]:
    """The same on pixels."""
    from trainables.builtin.vision_data import load

    images = load(
        config["data"],
        size=config["size"],
        seed=config["split_seed"],
        validation=config["validation"],
        test=config["test"],
    )
    pixels = images.pixels.reshape(len(images.pixels), -1) / 255.0
    parts = pixels[images.rows.train], pixels[images.rows.test]
    labels = images.labels[images.rows.train], images.labels[images.rows.test]
    return _baselines(boosted=parts, linear=parts, train=labels[0], test=labels[1], classes=len(images.classes))


def of_sequences(config: Mapping[str, Any]) -> dict[str, Scores]:
    """The same on whole sequences, laid out as rows; a forecast has its naive ones already, and a linear one."""
    import torch

    from trainables.builtin.sequence_check import choice_of
    from trainables.builtin.sequence_data import load
    from trainables.builtin.sequence_windows import whole_sequences

    data = load(config["data"], choice_of(config))
    if data.task == "forecast":
        return _linear_forecast(data, config)
    batches = []
    for part in ("train", "test"):
        windows = whole_sequences(data, part, window=config["window"])
        inputs, targets = windows.batch(torch.arange(len(windows)))
        batches.append((inputs.flatten(1).numpy(), targets.numpy()))
    (train, train_targets), (test, test_targets) = batches
    classes = data.goal.outputs if data.goal.name == "multiclass" else 2 * (data.goal.name == "binary")
    parts = train, test
    return _baselines(boosted=parts, linear=parts, train=train_targets, test=test_targets, classes=classes)


def _linear_forecast(data: Any, config: Mapping[str, Any]) -> dict[str, Scores]:
    """Ridge regression of all steps at once on the window."""
    import numpy as np
    import torch
    from sklearn.linear_model import RidgeCV

    from trainables.builtin.sequence_forecast import Forecast
    from trainables.builtin.sequence_windows import forecasts

    season = config["season"] or data.season
    parts = []
    for part in ("train", "test"):
        windows = forecasts(data, part, window=config["window"], horizon=config["horizon"], season=season)
        parts.append(windows.batch(torch.arange(len(windows))))
    (train, train_targets), (test, test_targets) = parts
    wanted = train_targets[:, :-2].numpy()
    known = np.isfinite(wanted).all(axis=1)
    model = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(train.flatten(1).numpy()[known], wanted[known])
    given = torch.from_numpy(model.predict(test.flatten(1).numpy()))
    return {"ridge regression": {"test_mase": Forecast().scores(given, test_targets)["mase"]}}


def _baselines(*, boosted: Any, linear: Any, train: Any, test: Any, classes: int) -> dict[str, Scores]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.metrics import accuracy_score, roc_auc_score, root_mean_squared_error

    def scored(model: Any, inputs: tuple[Any, Any]) -> dict[str, float]:
        model.fit(inputs[0], train)
        given = model.predict(inputs[1])
        if not classes:
            return {"test_rmse": float(root_mean_squared_error(test, given))}
        found = {"test_accuracy": float(accuracy_score(test, given))}
        if classes == 2:
            found["test_auroc"] = float(roc_auc_score(test, model.predict_proba(inputs[1])[:, 1]))
        return found

    trees = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    line = LogisticRegression(max_iter=2_000) if classes else RidgeCV()
    named = "logistic regression" if classes else "ridge regression"
    return {"gradient boosting": scored(trees(random_state=0), boosted), named: scored(line, linear)}


def of_text(config: Mapping[str, Any]) -> dict[str, Scores]:
    """Bits per byte or character that compressors add for the test part to what they need for the text before it."""
    import bz2
    import lzma

    content = Path(config["data"]).read_bytes()
    text: Any = content if config["tokens"] == "bytes" else content.decode()
    at = len(text) - int(len(text) * config["test"] + 0.5)
    before = len(text[:at] if config["tokens"] == "bytes" else text[:at].encode())
    found = {}
    for name, compressed in (("bzip2", bz2.compress), ("xz", lambda each: lzma.compress(each, preset=9))):
        added = len(compressed(content)) - len(compressed(content[:before]))
        found[name] = {"test_bits_per_token": 8 * added / (len(text) - at)}
    return found


BASELINES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Scores]]] = {
    "tabular": of_table,
    "vision": of_images,
    "sequence": of_sequences,
    "language": of_text,
}


# ---------------------------------------------------------------------------------------------------- the page


def _keep(name: str, figures: Mapping[str, Any]) -> None:
    before = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    after = dict(sorted({**before, name: figures}.items()))
    FIGURES.write_text(json.dumps(after, indent=1) + "\n")
    print(name, json.dumps({key: figures[key] for key in ("seconds", "tuned", "default", "baselines")}))


def written(figures: Mapping[str, Any]) -> str:
    """The page."""
    rows = [
        "| example | data | score | default | tuned | baselines | trials | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in figures.items():
        metric = score_of(each)
        label, more = METRICS[metric]
        tuned, default = (each[which][f"test_{metric}"] for which in ("tuned", "default"))
        others = "<br>".join(f"{other} {_bold(value, tuned, more)}" for other, value in _others(each, metric).items())
        cells = (
            f"[{name}](../examples/{name}.yaml)",
            Path(each["data"]).name,
            label,
            _bold(default, tuned, more),
            _number(tuned),
            others,
            each["trials"],
            f"{each['seconds']} s",
        )
        rows.append(f"| {' | '.join(map(str, cells))} |")
    machines = sorted({f"{each['machine']}, {each['date']}" for each in figures.values()})
    return f"{HEAD}\n" + "\n".join(rows) + f"\n\nMeasured on {'; '.join(machines)}.\n"


def score_of(figures: Mapping[str, Any]) -> str:
    """The score by which an example is compared."""
    scores = figures["tuned"]
    baselines = [name for each in figures["baselines"].values() for name in each]
    known = [metric for metric in METRICS if f"test_{metric}" in scores]
    return next(metric for metric in known if not baselines or f"test_{metric}" in baselines)


def _others(figures: Mapping[str, Any], metric: str) -> dict[str, float]:
    """The same score of the baselines."""
    if metric != "mase":
        return {name: each[f"test_{metric}"] for name, each in figures["baselines"].items()}
    naive = {"seasonal naive": 1.0, "naive": figures["tuned"]["test_mase_naive"]}
    return naive | {name: each["test_mase"] for name, each in figures["baselines"].items()}


def _bold(value: float, tuned: float, more: bool) -> str:
    better = value > tuned if more else value < tuned
    return f"**{_number(value)}**" if better else _number(value)


def _number(value: float) -> str:
    digits = max(0, 3 - math.floor(math.log10(abs(value) or 1)) - 1) if value >= 1 else 4
    return f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
