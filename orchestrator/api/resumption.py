"""What ``orchestrator.run(resume=...)`` does: compares the spec it is given with the recorded one, and continues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import UserError

if TYPE_CHECKING:
    from cluster.engine import Engine
    from orchestrator.core.extend import Extension
    from orchestrator.records.paths import SweepPaths
    from orchestrator.records.provenance import SweepInfo
    from orchestrator.spec import Spec
    from orchestrator.spec.source import Source
    from trainables.declaration import Declaration

TOTALS = {
    "budget.trials": "trials",
    "budget.hours": "hours",
    "budget.target": "target",
    "budget.patience": "patience",
    "resources.concurrency": "concurrency",
    "resources.max_gpus": "max_gpus",
}
"""Keys of a spec that a resume may change, and what an Extension calls them."""


def continued(
    paths: SweepPaths,
    source: Source | None,
    *,
    train: Callable[..., Any] | None,
    overrides: Sequence[str],
    allow_change: bool,
    project: Path | None,
    engine: Engine,
    progress: bool | None,
) -> SweepPaths:
    """Continue a recorded sweep; one that is finished, and is not to grow, stays as it is and starts nothing.

    Args:
        paths: The files of the sweep.
        source: The spec as it is now; None: as recorded, with the overrides.
        train, overrides, allow_change, project, progress: As for ``orchestrator.run``.
        engine: Where the trials run.

    Raises:
        UserError: The spec differs in what a resume cannot change; and what ``resume`` raises.
    """
    from orchestrator.api.progress import ProgressDisplay
    from orchestrator.driver.resume import resume
    from orchestrator.records.project import given_again, project_directory
    from orchestrator.records.provenance import read_sweep_json

    info = read_sweep_json(paths.info)
    base = project_directory(paths, info, project)
    if source is None and train is None:
        train = given_again(paths.name, info, base, how=f"orchestrator.run(train={{train}}, resume={paths.name!r})")
    now, declaration = _spec_now(info, base, source, train, overrides)
    extension = extension_to(now, paths.name, info, base, declaration, given=train is not None)
    if _complete(paths, info, extension):
        return paths
    with ProgressDisplay(progress, paths.name) as shown:
        return resume(
            paths,
            extension=extension,
            allow_change=allow_change,
            train=train,
            project=base,
            engine=engine,
            observer=shown.observer,
            told=shown.say,
        )


def _spec_now(
    info: SweepInfo, base: Path, source: Source | None, train: Callable[..., Any] | None, overrides: Sequence[str]
) -> tuple[Spec, Declaration | None]:
    from orchestrator.spec import parse_spec
    from orchestrator.spec.load_trainable import declared, declared_by

    if source is not None:
        return source.spec, source.declaration
    declaration = declared_by(train) if train is not None else declared(parse_spec(info.spec, base=base).trained, base)
    spec = parse_spec(info.spec, base=base, overrides=overrides, resolve=lambda _reference, _base: declaration)
    return spec, declaration


def extension_to(
    now: Spec, name: str, info: SweepInfo, base: Path, declaration: Declaration | None, *, given: bool
) -> Extension:
    """What turns the recorded spec into the one of now.

    Args:
        now: The spec as it is now.
        name: What the sweep is called.
        info: What the sweep recorded of itself.
        base: Where its code and data are.
        declaration: What the trainable declares.
        given: Whether the trainable was given from Python: the name it was given then does not count.

    Raises:
        UserError: More than totals differs; the error names the keys.
    """
    from orchestrator.core.extend import Extension, full_length
    from orchestrator.spec import parse_spec
    from orchestrator.spec.max_step import length_of, max_seconds

    recorded = parse_spec(info.spec, base=base)
    if declaration is not None and declaration.define_by_run:
        now = now.model_copy(
            update={"space": {**recorded.space, **now.space}}
        )  # what trials have found is there by now
    then, wanted = _flat(recorded), _flat(now)
    of_scheduler = {"scheduler.max"}  # in steps, or seconds
    steps = {f"fixed.{length_of(declaration)}"} | (of_scheduler if now.rung_unit == "steps" else set())
    times = {"trial.max_time"} | (of_scheduler if now.rung_unit == "seconds" else set())
    free = {"name", "parent"} | ({"trainable"} if given else set())
    if now.scheduler is None or now.scheduler.grace_period is None:
        free.add("scheduler.grace_period")  # written down when a training was made longer, so that rungs stay
    differing = [key for key in {**then, **wanted} if key not in free and then.get(key) != wanted.get(key)]
    free_to_change = TOTALS.keys() | steps | (times & then.keys())
    fixed = [key for key in differing if key not in free_to_change or key not in wanted]
    if fixed:
        raise UserError(
            f"{name} was launched with another {' and '.join(fixed)}, which a resume cannot change;"
            " give the spec another name to launch a new sweep"
        )
    totals = {TOTALS[key]: wanted[key] for key in differing if key in TOTALS}
    if any(key in steps for key in differing):
        totals["max_steps"] = full_length(now, declaration)
    if any(key in times for key in differing):
        totals["max_time"] = max_seconds(now)
    return Extension(**totals)


def _flat(spec: Spec) -> dict[str, Any]:
    """The values of a spec by their dotted keys."""

    def walk(value: Any, key: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Mapping) and not key.startswith(("space.", "search.")) and value:
            for name, each in value.items():
                yield from walk(each, f"{key}.{name}" if key else name)
        else:
            yield key, value

    return dict(walk(json.loads(json.dumps(spec.to_plain())), ""))


def _complete(paths: SweepPaths, info: SweepInfo, extension: Extension) -> bool:
    """Whether nothing is left to do: all trials of the budget have ended, and no resume has asked for more."""
    from orchestrator.analysis.summary.overview import overview
    from orchestrator.core.extend import Extension
    from orchestrator.driver.resume_tasks import ResumeTasks, left_undone
    from orchestrator.records.decode import event_rows
    from orchestrator.records.load import events_table

    seen = overview(paths)
    trials = info.spec["budget"].get("trials")
    finished = seen.status == "finished" and trials is not None and sum(seen.states.values()) >= trials
    if not finished or extension != Extension():
        return False
    return left_undone(info.resumed, event_rows(events_table(paths), paths.events)) == ResumeTasks()
