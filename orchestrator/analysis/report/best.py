"""The best configuration as the page gives it away: what `sweep best` prints, its checkpoint, and the commands."""

from __future__ import annotations

import shlex

from orchestrator.analysis.compare.repeats import best_in, has_repeats
from orchestrator.analysis.report.data import BestConfig
from orchestrator.analysis.summary.kept_checkpoint import find_kept, why_none
from orchestrator.analysis.summary.ranking import full_config
from orchestrator.errors import NoResultError
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


def best_config(paths: SweepPaths, info: SweepInfo) -> BestConfig | None:
    """The best trial of a sweep, as `sweep best` chooses it; None if no trial has a result.

    Its paths are relative where that of the sweep is, as all on the page.

    Raises:
        RecordsError: The records are damaged.
    """
    try:
        ranked = best_in(paths, info)
    except NoResultError:
        return None
    kept = find_kept(paths, info, ranked.trial)
    best = f"sweep best {shlex.quote(paths.name)} --results {shlex.quote(str(paths.root.parent))}"
    return BestConfig(
        ranked=ranked,
        by_mean=has_repeats(info),
        config=full_config(info, ranked),
        checkpoint="" if kept is None else str(kept.content),
        no_checkpoint=why_none(paths, info, ranked) if kept is None else "",
        commands=(
            f"{best} > best.yaml",
            *([] if kept is None else [f"{best} --checkpoint best{kept.suffix}", f"{best} --evaluate"]),
        ),
    )
