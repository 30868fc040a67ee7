"""`sweep best --evaluate`: scores the best trial on the test set."""

from __future__ import annotations

from pathlib import Path

from orchestrator.after.evaluate import EvaluationError, evaluate_best
from orchestrator.analysis.summary.evaluations import Evaluation
from orchestrator.cli.formats import say
from orchestrator.cli.views.text import evaluated
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


def score(paths: SweepPaths, info: SweepInfo, *, project: Path | None = None) -> Evaluation:
    """Score the best trial on the test set, or print its recorded score.

    Raises:
        SweepError: As ``after.evaluate.evaluate_best``.
    """
    try:
        found, earlier = evaluate_best(paths, info, waiting=say, project=project)
    except EvaluationError as error:
        if error.own:
            say(error.failure.traceback.rstrip())
        raise
    say(f"# {evaluated(found)}")
    if found in earlier:
        say("# recorded earlier and not scored again, so that the test set stays unseen")
        return found
    if found.changed:
        say(f"# since the launch, {' and '.join(found.changed)} changed")
    if earlier:
        before = "; ".join(evaluated(each) for each in earlier)
        say(f"# warning: score {len(earlier) + 1} on the test set, which is no longer unseen; earlier: {before}")
    return found
