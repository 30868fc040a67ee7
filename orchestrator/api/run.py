"""``orchestrator.run``: what `sweep launch` and `sweep resume` do, for scripts and notebooks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import UserError

if TYPE_CHECKING:
    from orchestrator.api.loaded import Sweep
    from orchestrator.records.paths import SweepPaths
    from orchestrator.spec.source import Source

log = logging.getLogger(__name__)


def run(
    spec: str | Path | Mapping[str, Any] | None = None,
    train: Callable[..., Any] | None = None,
    *,
    overrides: Sequence[str] = (),
    results: str | Path = "results",
    on: str = "local",
    cpus: int | None = None,
    gpus: int | None = None,
    resume: str | bool = False,
    allow_change: bool = False,
    project: str | Path | None = None,
    progress: bool | None = None,
) -> Sweep:
    """Run a sweep to its end and return its records.

    Ray starts inside this process and stops when the sweep ends. If the process is already connected to Ray, as after
    ``ray.init()``, the sweep runs there and leaves that Ray running.

    Args:
        spec: The path of a spec, or the spec as a mapping, whose relative paths start in the working directory. Can be
            left out if ``resume`` names a sweep.
        train: The trainable, if the spec does not name it: a function or a class. Closures work.
        overrides: Changes to the spec, written as for ``--set``: ``["budget.trials=20"]``.
        results: The directory in which sweeps are recorded.
        on: Where trials run, as for ``--on``: "local", "auto", or "host:port" of a Ray cluster that this machine is a
            node of.
        cpus: How many CPUs of this machine Ray may use; None: all. Only with "local".
        gpus: How many GPUs of this machine Ray may use; None: all. More than the machine has are pretended, for
            placement only. Only with "local".
        resume: The name of a recorded sweep to continue. True: the sweep named as the spec says, or a new one if there
            is none, so that a script can be run again after a crash. The spec, if given, may raise totals
            (``budget.trials``, ``budget.hours``, the length of a training) and change ``resources.concurrency`` and
            ``resources.max_gpus``; nothing else.
        allow_change: Resume although the code of the trainable or its data has changed since the launch.
        project: Where the code and data of the sweep to resume are now: the directory of its spec. None: where they
            were, or where they have moved together with the sweep's directory.
        progress: Show the running sweep: updated in place in a notebook and in a terminal, as lines elsewhere. None:
            only in a notebook and in a terminal.

    Returns:
        The recorded sweep, as :func:`load` returns it.

    Raises:
        SpecError: The spec has mistakes; the error lists all of them.
        UserError: What was asked for cannot be done; nothing was recorded.
        InterruptedSweepError: A signal ended the sweep; all results up to then are recorded.
        SweepError: The sweep failed: too many trials failed, or no trial has a result.
    """
    from orchestrator.api.loaded import load
    from orchestrator.api.progress import ProgressDisplay
    from orchestrator.driver.launch import launch
    from orchestrator.records.paths import results_directory
    from orchestrator.sites.placement import engine_at
    from orchestrator.spec.load_trainable import refuse_while_importing

    refuse_while_importing()
    engine = engine_at(on, cpus=cpus, gpus=gpus)
    directory = results_directory(results)
    before = _recorded(directory, resume) if isinstance(resume, str) else None
    source = None if spec is None else source_of(spec, train, overrides)
    if source is not None and resume is True:
        before = _recorded_if_any(directory / source.name)
    if before is not None:
        from orchestrator.api.resumption import continued

        return load(
            continued(
                before,
                source,
                train=train,
                overrides=overrides,
                allow_change=allow_change,
                project=None if project is None else Path(project),
                engine=engine,
                progress=progress,
            ).root
        )
    if source is None:
        raise UserError("run needs a spec, or the name of a sweep to continue, as in run(resume='churn')")
    with ProgressDisplay(progress, source.name) as shown:
        paths = launch(source, results=directory, engine=engine, observer=shown.observer)
    return load(paths.root)


def source_of(
    spec: str | Path | Mapping[str, Any], train: Callable[..., Any] | None, overrides: Sequence[str]
) -> Source:
    """A spec and a function from Python, checked.

    Raises:
        SpecError: The spec has mistakes.
        TrainableError: ``train`` is nothing that can be trained, or cannot be sent to other processes.
    """
    from orchestrator.sites.asked_resources import with_asked_resources
    from orchestrator.spec import parse_spec, read_spec
    from orchestrator.spec.given import reference_of
    from orchestrator.spec.load_trainable import check_trainable, declared, declared_by, known, known_of
    from orchestrator.spec.reading import text_to_record
    from orchestrator.spec.source import Source
    from orchestrator.worker.messages import pack_function
    from orchestrator.yaml.document import from_mapping

    if train is not None:
        check_trainable(train)
    resolve = known if train is None else lambda _reference, _base: known_of(train)
    if isinstance(spec, Mapping):
        base, path = Path.cwd(), None
        mapping = dict(spec) if train is None else {"trainable": reference_of(train, base), **spec}
        checked = parse_spec(mapping, base=base, overrides=overrides, resolve=resolve, warn=log.warning)
        text = json.dumps(from_mapping(mapping).data, indent=2).encode()  # JSON is YAML as well
    else:
        path = Path(spec)
        base = path.resolve().parent
        checked = read_spec(path, overrides=overrides, resolve=resolve, warn=log.warning)
        text = text_to_record(path, checked)
    source = Source(
        spec=checked,
        text=text,
        base=base,
        declaration=declared_by(train) if train is not None else declared(checked.trained, base),
        function=train,
        packed=None if train is None else pack_function(train),
        file=path,
        overrides=overrides,
    )
    return with_asked_resources(source)


def _recorded(results: Path, name: str) -> SweepPaths:
    from orchestrator.records.find import find

    return find(results, name)


def _recorded_if_any(root: Path) -> SweepPaths | None:
    from orchestrator.records.paths import SweepPaths

    paths = SweepPaths(root)
    return paths if paths.info.is_file() else None
