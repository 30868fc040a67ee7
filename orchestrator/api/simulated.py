"""``orchestrator.simulate_sweep``: a spec played on learning curves that are known, without training anything."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.api.loaded import Sweep, load
from orchestrator.records.extra import unfolded
from orchestrator.records.load import frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from orchestrator.records.paths import SweepPaths
    from orchestrator.records.provenance import SweepInfo
    from orchestrator.simulate.virtual_clock import Outcome
    from orchestrator.spec import Spec

UNNAMED = "simulated"
"""The name of a simulated sweep whose spec has none."""


def simulate_sweep(
    spec: Mapping[str, Any] | str | Path,
    curve: Callable[[dict[str, Any]], Mapping[str, Sequence[float] | np.ndarray]],
    *,
    workers: int = 1,
    seed: int | None = None,
    saves: bool = True,
    overrides: Sequence[str] = (),
    results: str | Path | None = None,
) -> Sweep:
    """Play a spec on known learning curves: the same search, scheduler and budgets as in a launch, on a virtual clock.

    Only training takes time. The clock begins at 1970-01-01 00:00 UTC, and ``budget.hours`` counts on it. Nothing is
    trained, so the spec needs no ``trainable``, and one that it names is not loaded.

    Args:
        spec: The spec as a mapping, or the path of one.
        curve: Gives the learning curve of a configuration: a mapping with ``elapsed``, the seconds of training up to
            each step (cumulative, not decreasing), and the metrics, as lists or arrays of the same length, with an
            entry for each of the steps 1, 2, … It is called once a trial, with the fixed values included. If it raises,
            the trial fails at once; where the objective is not finite, the trial has diverged.
        workers: How many trials run at once; ``resources.concurrency`` is a limit as well.
        seed: Replaces ``search.seed``.
        saves: Whether trials save their state at every step: they can pause then, and continue their curves. If not, a
            further attempt trains again from the beginning.
        overrides: Changes to the spec, written as for ``--set``: ``["budget.trials=20"]``.
        results: The directory in which the sweep is recorded, as ``run`` records it; None: it is kept in memory.

    Returns:
        The sweep, as :func:`load` returns it. A full training has ``scheduler.max`` steps or, if the spec does not say,
        as many as the first curve. With ``scheduler.unit: seconds``, rungs are met by ``elapsed``.

    Raises:
        SpecError: The spec has mistakes; the error lists all of them.
        UserError: ``curve`` returned no learning curve, or one without the objective; the error says what is wrong.
    """
    from orchestrator.analysis.earlier.take import take_earlier
    from orchestrator.records.paths import results_directory
    from orchestrator.simulate.play import play
    from orchestrator.spec.source import Source

    read, text = _read(spec, overrides)
    if seed is not None:
        read = read.model_copy(update={"search": read.search.model_copy(update={"seed": seed})})
    base = Path() if isinstance(spec, Mapping) else Path(spec).parent
    source = Source(spec=read, text=text, base=base, declaration=None)
    earlier = take_earlier(source, results_directory(results or "results")).earlier
    outcome = play(read, curve, workers=workers, saves=saves, base=base, earlier=earlier).outcome
    name = read.name or (UNNAMED if isinstance(spec, Mapping) else Path(spec).stem)
    if results is None:
        return SimulatedSweep(name, read, text, outcome)
    return load(_record(Path(results), name, read, text, outcome).root)


class SimulatedSweep(Sweep):
    """A simulated sweep that is kept in memory. What needs the files of a sweep writes them to a temporary directory,
    which is removed with this object."""

    def __init__(self, name: str, spec: Spec, text: bytes, outcome: Outcome) -> None:
        self._name = name
        self._spec = spec
        self._text = text
        self._outcome = outcome

    @property
    def name(self) -> str:
        return self._name

    @cached_property
    def spec(self) -> dict[str, Any]:
        return self._spec.to_plain()

    @cached_property
    def trials(self) -> pd.DataFrame:
        from orchestrator.records.encode import trials_table

        rows = [self._outcome.trials[number] for number in sorted(self._outcome.trials)]
        return frame(trials_table(rows, self._spec.parameter_space().kinds, self._name))

    @cached_property
    def metrics(self) -> pd.DataFrame:
        from orchestrator.records.encode import metrics_table
        from orchestrator.records.schema import metrics_schema

        rows = self._outcome.metrics
        names = dict.fromkeys([self._spec.objective.metric, *(name for row in rows for name in row.metrics)])
        return frame(unfolded(metrics_table(rows, metrics_schema(names), self._name)))

    @cached_property
    def events(self) -> pd.DataFrame:
        from orchestrator.records.encode import events_table

        return frame(events_table(self._outcome.events, self._name))

    @cached_property
    def info(self) -> SweepInfo:  # type: ignore[override]  # made when it is first used
        from orchestrator.records.provenance import read_sweep_json

        return read_sweep_json(self.paths.info)

    @cached_property
    def paths(self) -> SweepPaths:  # type: ignore[override]
        directory = tempfile.mkdtemp(prefix="simulated-sweep-")
        weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        return _record(Path(directory), self._name, self._spec, self._text, self._outcome)

    def __repr__(self) -> str:
        from orchestrator.formatting import count, duration

        trials, reports = count(len(self._outcome.trials), "trial"), count(len(self._outcome.metrics), "report")
        return (
            f"<Sweep {self._name}, simulated: {trials} in {duration(self._outcome.seconds)}, {reports};"
            " data frames: .trials .metrics .events; also .spec .info .paths>"
        )


def _read(spec: Mapping[str, Any] | str | Path, overrides: Sequence[str]) -> tuple[Spec, bytes]:
    """The checked spec and its text."""
    from orchestrator.spec import parse_spec, read_spec
    from orchestrator.spec.reading import text_to_record
    from orchestrator.yaml.document import from_mapping

    if isinstance(spec, Mapping):
        mapping = dict(spec) if "command" in spec else {"trainable": UNNAMED, **spec}
        checked = parse_spec(mapping, base=Path.cwd(), overrides=overrides)
        return checked, json.dumps(from_mapping(mapping).data).encode()
    checked = read_spec(Path(spec), overrides=overrides)
    return checked, text_to_record(Path(spec), checked)


def _record(results: Path, name: str, spec: Spec, text: bytes, outcome: Outcome) -> SweepPaths:
    """Write the sweep's records, in a directory of its own."""
    from orchestrator.records.paths import claim
    from orchestrator.records.provenance import collect, write_sweep_json
    from orchestrator.records.recorder import Recorder

    paths = claim(results, name)
    paths.spec.write_bytes(text)
    info = collect(
        name=paths.name,
        seed=spec.search.seed,
        trainable=str(spec.trained),
        engine="simulated",
        spec=spec.to_plain(),
        command=(),
        directory=Path.cwd(),
        now=0.0,
    )
    write_sweep_json(paths.info, info)
    kinds = spec.parameter_space().kinds
    with Recorder(paths, sweep=paths.name, parameters=kinds, metrics=[spec.objective.metric]) as recorder:
        recorder.events(outcome.events)
        recorder.metrics(outcome.metrics)
        for number in sorted(outcome.trials):
            recorder.trial(outcome.trials[number])
    return paths
