"""The metrics that a program prints or logs, by its source, and the one that is likely to be the objective."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from orchestrator.first_spec.draft import Proposed
from orchestrator.first_spec.parsers.constants import called

_LOGS = ("dumps", "dump", "log", "log_metrics", "log_dict", "report", "write", "update")
_STEPS = frozenset({"step", "epoch", "iteration", "global_step", "iter", "time", "lr"})
_HELD_OUT = re.compile(r"(val|valid|validation|dev|eval|test|held_out)(?![a-z])", re.I)
_HIGHER = re.compile(
    r"acc|f1|auc|auroc|bleu|rouge|score|reward|return|precision|recall|iou|dice|map\b|r2|correlation", re.I
)
_LOWER = re.compile(r"loss|err|rmse|mse|mae|ppl|perplexity|nll|bpc|wer|cer", re.I)


def printed_metrics(tree: ast.Module) -> list[str]:
    """Keys of dictionaries that are turned into JSON or given to a logger, and keywords of ``report``."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or called(node).rpartition(".")[2] not in _LOGS:
            continue
        for each in node.args:
            if isinstance(each, ast.Dict):
                found |= dict.fromkeys(
                    key.value for key in each.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
                )
        if called(node).endswith("report"):
            found |= dict.fromkeys(each.arg for each in node.keywords if each.arg)
    return [name for name in found if name not in _STEPS]


def rank(metric: str) -> int:
    """How likely a metric is the objective: 2 for a loss or a score on held-out data, 1 for another, 0 for none."""
    judged = bool(_LOWER.search(metric) or _HIGHER.search(metric))
    return judged + (judged and bool(_HELD_OUT.search(metric)))


def objective_of(metrics: Sequence[str]) -> Proposed:
    """The objective: a loss or score on held-out data if one is found."""
    chosen = max(metrics, key=rank, default="")
    if not rank(chosen):
        return Proposed(value={"metric": "val_loss", "mode": "min"}, remark="the metric that the program prints")
    mode = "max" if _HIGHER.search(chosen) and not _LOWER.search(chosen) else "min"
    return Proposed(value={"metric": chosen, "mode": mode})
