"""Ranges that are sensible to search, by the name of a hyperparameter and its default.

The names are those of the common training programs. What is not named here stays at its default: a wrong guess costs
trials, and a missing parameter a line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.first_spec.draft import Proposed
from orchestrator.first_spec.parsers.option import ProgramOption

LENGTHS = ("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs", "max_steps", "num_steps", "steps",
           "train_steps", "iterations", "num_iterations", "max_iters", "n_iter")  # fmt: skip
"""Names of what a full training counts, the most telling first."""

_DIRECTORY = re.compile(r"(out|output|save|log|logging|result|results|run|ckpt|checkpoint|model|experiment)_?"
                        r"(dir|directory|path|folder)|logdir|outdir|savedir|out|output|outputs")  # fmt: skip
_RESUME = re.compile(r"(resume|restart|restore|continue|load)(_?from)?(_?(checkpoint|ckpt|path|file|dir))?|ckpt_path")
_CHECKPOINT = re.compile(r"(ckpt|checkpoint)s?_?(dir|directory|path|folder)")


def is_length(option: ProgramOption) -> bool:
    """Whether the option counts the steps of a training."""
    return option.word in LENGTHS and option.kind in (int, float, None)


def directory_of(option: ProgramOption) -> str:
    """Which of a trial's directories the option is to get: ``trial_dir``, ``checkpoint_dir``, or "" for none."""
    name = option.word
    if option.is_switch or option.kind in (int, float, bool) or not _DIRECTORY.fullmatch(name):
        return ""
    return "checkpoint_dir" if _CHECKPOINT.fullmatch(name) else "trial_dir"


def is_resume(option: ProgramOption) -> bool:
    """Whether the option names a checkpoint to continue from."""
    return _RESUME.fullmatch(option.word) is not None and option.kind in (str, None)


def is_seed(option: ProgramOption) -> bool:
    """Whether the option is the seed of the random generators."""
    return option.word in ("seed", "random_seed", "manual_seed", "random_state", "rng_seed")


def range_of(option: ProgramOption) -> Proposed | None:
    """The distribution to search; None if the option is better left alone."""
    if option.is_switch or option.several or option.kind is bool:
        return None
    name = option.word
    if option.choices:
        searched = any(re.fullmatch(pattern, name) for pattern in _CHOSEN)
        values = list(option.choices)
        return Proposed(value={"choice": values}) if searched and len(values) > 1 else None
    for rule in _RULES:
        if rule.names.fullmatch(name) and option.kind in (*rule.types, None):
            default = option.default
            known = isinstance(default, int | float) and not isinstance(default, bool) and math.isfinite(default)
            proposed = rule.propose(default if known else None)
            if proposed is None:
                return None
            remark = f"default {default:g}" if known else ""
            return Proposed(value=proposed, remark=remark)
    return None


_CHOSEN = (r"(optim|optimi[sz]er|opt)(_?(name|type))?", r"(activation|act|nonlinearity)(_?(fn|func|function|name))?",
           r"(lr_?)?(scheduler|schedule)(_?(name|type))?", r"(arch|architecture|model|backbone|net|network|model_name)",
           r"(norm|normali[sz]ation|pool|pooling|init|initiali[sz]ation|loss|loss_fn|augment|augmentation|kernel)"
           r"(_?(name|type))?")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Rule:
    names: re.Pattern[str]
    types: tuple[type, ...]
    propose: Callable[[float | None], dict[str, Any] | None]


def _rule(names: str, types: tuple[type, ...], propose: Callable[[float | None], dict[str, Any] | None]) -> _Rule:
    return _Rule(names=re.compile(names), types=types, propose=propose)


def _around(factor: float, default: float, *, most: float = math.inf) -> Callable[[float | None], dict[str, Any]]:
    """On a logarithm, from the default divided by a factor to it times the factor, rounded to 1 or 3 times ten^n."""

    def propose(value: float | None) -> dict[str, Any]:
        middle = value if value is not None and value > 0 else default
        return {"loguniform": [_round(middle / factor), min(most, _round(middle * factor))]}

    return propose


def _round(value: float) -> float:
    exponent = math.floor(math.log10(value) + 1e-9)
    lead = value / 10.0**exponent
    nearest = min((1, 3, 10), key=lambda each: abs(math.log(lead / each)))
    return float(f"{nearest}e{exponent}")


def _within(low: float, high: float) -> Callable[[float | None], dict[str, Any] | None]:
    """Between two bounds, unless the default lies outside."""

    def propose(value: float | None) -> dict[str, Any] | None:
        return {"uniform": [low, high]} if value is None or low <= value <= high else None

    return propose


def _sizes(default: int, *, steps: int) -> Callable[[float | None], dict[str, Any]]:
    """The default times powers of two, as sizes have to divide each other."""

    def propose(value: float | None) -> dict[str, Any]:
        middle = int(value) if value is not None and value >= 1 else default
        smaller = [middle >> by for by in range(steps, 0, -1) if middle % (1 << by) == 0]
        return {"choice": [*smaller, *(middle << by for by in range(steps + 1))], "ordered": True}

    return propose


def _counts(default: int) -> Callable[[float | None], dict[str, Any]]:
    """From 1 to twice the default."""

    def propose(value: float | None) -> dict[str, Any]:
        middle = int(value) if value is not None and value >= 1 else default
        return {"int": [1, max(2, 2 * middle)]}

    return propose


_RULES = (
    _rule(r"(\w+_)?(lr|learning_rate|learningrate|step_size|base_lr|max_lr|peak_lr)", (float,), _around(30, 1e-3)),
    _rule(r"(weight_?decay|wd|l2|l2_reg|l2_penalty|weight_decay_rate)", (float,), _around(100, 1e-3, most=1.0)),
    _rule(r"(\w+_)?(drop_?out|drop_?path|drop)(_?(rate|prob|p|ratio))?", (float,), _within(0.0, 0.5)),
    _rule(r"(label_?)?smoothing|mixup(_alpha)?|cutmix(_alpha)?", (float,), _within(0.0, 0.4)),
    _rule(r"momentum", (float,), _within(0.5, 0.99)),
    _rule(r"(adam_)?beta_?1", (float,), _within(0.8, 0.99)),
    _rule(r"(adam_)?beta_?2", (float,), _within(0.9, 0.9999)),
    _rule(r"gamma|discount|tau|polyak", (float,), lambda value: None),  # their meaning differs between programs
    _rule(r"(lr_)?(warmup|warm_up)_?(ratio|frac|fraction|pct|proportion)", (float,), _within(0.0, 0.3)),
    _rule(r"(max_)?(grad|gradient)?_?(clip|clipping|clip_norm|max_norm|norm|clip_val)", (float,), _around(10, 1.0)),
    _rule(r"(per_device_)?(train_)?(mini_?)?batch_?size|bs|batch", (int,), _sizes(32, steps=2)),
    _rule(r"(\w+_)?(hidden|embed|embedding|model|ff|ffn|mlp|latent|feature)(_?(size|dim|dims|units|width|features))"
          r"|width|channels|units|n_embd|d_model|dim|num_channels|n_hidden|hidden|lora_r|lora_rank",
          (int,), _sizes(128, steps=2)),
    _rule(r"(n|num|n_|num_)?_?(\w+_)?(layers?|blocks?|depth)|n_layer|depth", (int,), _counts(2)),
    _rule(r"(max_)?depth|num_leaves", (int,), _counts(6)),
    _rule(r"temperature|temp", (float,), _around(10, 1.0)),
    _rule(r"(ent|entropy|vf|value|kl)_?(coef|coeff|coefficient|weight)", (float,), _around(10, 1e-2)),
    _rule(r"(lora_)?alpha|lambda_?|reg|regulari[sz]ation|l1|penalty", (float,), _around(100, 1e-2)),
)  # fmt: skip
