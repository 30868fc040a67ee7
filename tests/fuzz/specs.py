"""Specs with random changes to their text or to their values, as `sweep check` and `sweep plan` read them."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.fuzz import mutate
from tests.fuzz.outcome import Finding, command
from tests.spec.churn_example import EXAMPLE

SOON_S = 20
"""Seconds that a command about a spec may take, on a machine that does other things as well."""

SMALL = """\
trainable: train.py:train
fixed: {epochs: 9}
space:
  lr: {loguniform: [1e-5, 1e-1]}
  kind: {grid: [a, b, c]}
  width: {int: [8, 64]}
  decay: {normal: [0, 1]}
  extra: {choice: [1, null, [1, 2], {a: 1}], when: "kind != 'a' and lr > 1e-3"}
objective: {metric: loss}
search: {method: random, seed: 3}
scheduler: {method: hyperband, grace_period: 1}
budget: {trials: 9, gpu_hours: 2}
"""
SECONDS = """\
name: seconds
trainable: train.py:train
space: {lr: {loguniform: [1e-4, 1e-1]}}
objective: {metric: loss}
scheduler: {method: asha, unit: seconds, grace_period: 1m, max: 3600, audit: 0.1}
trial: {max_time: 2h}
"""
GRID = """\
name: grid
trainable: train.py:train
space: {a: {grid: [1, 2, 3]}, b: {grid: [x, y]}}
objective: {metric: loss, mode: max, at: last}
search: {method: grid}
scheduler: {method: none}
resources: {cpu: 0.5, gpu: 0.25, memory: 1G, concurrency: 2}
trial: {timeout: 1m, save_every: 10s, keep: none}
"""
COMMAND = """\
command: python train.py --lr {optim.lr} --name {optim.name} --width {width} --out {trial_dir} {config.json}
env: {SEED: "{seed}"}
output: {pattern: "loss (?P<loss>[0-9.]+)", step: epoch}
fixed: {epochs: 9, optim: {eps: 1e-8}}
space:
  optim: {lr: {loguniform: [1e-5, 1e-1]}, name: {choice: [a, b], weights: [3, 1]}}
  width: {int: [8, 64], when: "optim.name == 'a'"}
derived: {warmup: "0.1 * epochs", rate: "optim.lr * warmup"}
objective: {metric: loss}
resources: {cpu: "epochs // 4", gpu: "2 if optim.name == 'a' else 1", memory: "'2GB' if warmup < 1 else 1e9 * epochs"}
trial: {max_time: 1h, grace: 5s}
"""
TEXTS = (EXAMPLE, SMALL, SECONDS, GRID, COMMAND)

ODD: tuple[Any, ...] = (
    *mutate.VALUES, 10**30, 1e-320, -1e300, 10**9, 1000000, "10m", "1e400 GB", "grid", "asha", "hyperband", "sobol",
    "seconds", "1h", "tpe", "auto", "packed", "lr > 0", "lr > 0 and 1 / 0 > 1", "9**9**9 > 1",
    "a" * 5000, "((" * 300, "1 / lr", "2 if lr > 1e-3 else 1", "10 ** 9 * lr", "not " * 300 + "lr",
    {"uniform": [0, 1]}, {"grid": [1, 2]}, {"choice": ["a", 1], "when": "lr > 0"},
    {"loguniform": [0, 1]}, {"normal": [0, 1e308]}, {"int": [1, 9, 0]}, {"grid": list(range(3000))},
    [{"lr": 0.01}], [{}], [[1]], {1: 2}, {None: None}, {"when": "lr > 0"}, {"space": {"space": {}}},
)  # fmt: skip
STRANGE = (
    "", "\t", "{", "}", "[", "]", ":", "- ", "*a", "&a ", "!!int ", "!x ", "'", '"', "|", "%", "\0", "<<: ", "é", "#",
    "? ", "!!python/object:os.system ", "&a [*a]", "\u2028", "\ufeff", "---\n", "...\n", "\udcff", "1" * 5000,
)  # fmt: skip
SETS = (
    "budget.trials", "space.lr", "space.new", "search", "search.method", "search.start", "scheduler.method", "fixed",
    "fixed.epochs", "constraints", "trial.keep", "resources.gpu", "objective.metric", "name", "x", "", "space.", "..",
    "scheduler.grace_period", "scheduler.reduction_factor", "resources.memory", "resources.cpu", "trainable",
    "scheduler.unit", "scheduler.max", "trial.max_time",
    "space.optim.lr", "space.optim", "fixed.optim", "derived.warmup", "output.pattern", "output", "command", "env.A",
)  # fmt: skip

TRAIN = """
def train(config, trial):
    for step in range(1, 10):
        trial.report(step=step, loss=config["lr"] + 1 / step)

def evaluate(config, checkpoint):
    return {"loss": 1.0}
"""


class Specs:
    """Specs, and changes to them by ``--set``."""

    name = "specs"

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def attempt(self, random: Random) -> str:
        """Write one, then check and plan it."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        (self._scratch / "data").mkdir(parents=True)
        (self._scratch / "data" / "telco_churn.csv").write_text("churn,tenure\nyes,1\nno,2\n")
        (self._scratch / "train.py").write_text(TRAIN)
        os.chdir(self._scratch)
        os.environ.pop("SWEEP_RESULTS", None)
        text = spec_text(random)
        Path("s.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
        changes = [word for _ in range(random.choice([0, 0, 1, 2])) for word in ("--set", _setting(random))]
        more = random.choice([(), (), ("--json",), ("--trials", str(random.choice([1, 10**4, 10**9, 2**70])))])
        where = random.choice([(), ("--gpus", "8"), ("--gpus", "64", "--step-seconds", "30"), ("--cpus", "2")])
        try:
            checked = command("check", "s.yaml", *changes, *more, within_s=SOON_S)
            planned = command("plan", "s.yaml", *changes, *more, *where, within_s=SOON_S)
            if checked.code and not planned.code:
                raise Finding(f"check: {checked.err}", "plan takes what check refuses")
        except Finding as error:
            raise Finding(f"{changes} on\n{text}\n{error}", error.cause) from error
        return text


def spec_text(random: Random) -> str:
    """The text of a spec with some changes."""
    text = random.choice(TEXTS)
    if random.random() < 0.6:
        value = YAML(typ="safe", pure=True).load(text)
        for _ in range(random.choice([1, 1, 2, 4])):
            value = _changed(random, value)
        held = io.StringIO()
        try:
            YAML(typ="safe", pure=True).dump(value, held)
        except (YAMLError, ValueError):  # what YAML cannot express
            return str(value)
        return held.getvalue()
    lines = text.splitlines()
    for _ in range(random.choice([1, 1, 2, 4])):
        at = random.randrange(len(lines))
        column = random.randrange(len(lines[at]) + 1)
        match random.randrange(5):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(random.randrange(len(lines) + 1), lines[at])
            case 2:
                lines[at] = lines[at][:column] + lines[at][column + random.randrange(1, 6) :]
            case 3:
                lines[at] = "  " + lines[at]
            case _:
                lines[at] = lines[at][:column] + random.choice(STRANGE) + lines[at][column:]
    return "\n".join(lines)


def _changed(random: Random, value: Any) -> Any:
    """A mapping with one value exchanged for an odd one, as often for another of a spec as for any."""
    changed = mutate.json_value(random, value)
    if not isinstance(changed, dict) or not changed:
        return changed
    section = random.choice(list(changed))
    if isinstance(changed[section], dict) and changed[section] and random.random() < 0.7:
        changed[section][random.choice(list(changed[section]))] = mutate.odd(random, ODD)
    elif random.random() < 0.3:
        changed[section] = mutate.odd(random, ODD)
    return changed


def _setting(random: Random) -> str:
    value = random.choice([str(random.choice(ODD)), random.choice(STRANGE), "{uniform: [0, 1]}", "3", "random"])
    return random.choice([f"{random.choice(SETS)}={value[:2000]}", value[:2000], "="])
