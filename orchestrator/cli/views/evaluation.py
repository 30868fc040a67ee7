"""What `sweep best --evaluate` says."""

from __future__ import annotations

from orchestrator.after.evaluate import EvaluationError, evaluate_best
from orchestrator.analysis.summary.evaluations import Evaluation
from orchestrator.cli.formats import say
from orchestrator.cli.views.text import evaluated
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo


def score(paths: SweepPaths, info: SweepInfo) -> Evaluation:
    """Score the best trial on the test part, or say what came out when that was done.

    Raises:
        SweepError: As ``evaluation.evaluate_best`` does.
    """
    try:
        found, earlier = evaluate_best(paths, info, waiting=say)
    except EvaluationError as error:
        if error.own:
            say(error.failure.traceback.rstrip())
        raise
    say(f"# {evaluated(found)}")
    if found in earlier:
        say("# recorded then, and not scored again: the test part is for one look")
        return found
    if found.changed:
        say(f"# since the launch, {' and '.join(found.changed)} changed")
    if earlier:
        before = "; ".join(evaluated(each) for each in earlier)
        say(f"# this is look {len(earlier) + 1} at the test part, so it is no longer quite unseen; before: {before}")
    return found
