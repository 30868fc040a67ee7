"""A sweep that is recorded trial by trial, by the real state machine and recorder, without Ray."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orchestrator.control.lease import Lease
from orchestrator.core import events
from orchestrator.core.build import build_sweep
from orchestrator.core.node_health import Node
from orchestrator.records.paths import claim
from orchestrator.records.provenance import collect, write_sweep_json
from orchestrator.records.recorder import Recorder
from tests.cli.recorded import T0, attempt, spec
from trainables.report import Report


class Growing:
    """A sweep under a lease of ours: it runs, until this is left."""

    def __init__(self, results: Path, **changes: Any) -> None:
        checked = spec(**changes)
        self.paths = claim(results, checked.name or "made-up")
        info = collect(
            name=self.paths.name,
            seed=1,
            trainable=str(checked.trained),
            spec=checked.to_plain(),
            command=["sweep"],
            directory=results,
            now=T0,
        )
        write_sweep_json(self.paths.info, info)
        kinds = {name: each.kind for name, each in checked.distributions().items()}
        self.sweep, self.at = build_sweep(checked, None), T0
        self._lease = Lease.acquire(self.paths.lease)
        self._recorder = Recorder(self.paths, sweep=self.paths.name, parameters=kinds, metrics=["loss"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lease.release()

    def begin(self) -> None:
        """A session, as a launch or a resume begins one."""
        self.sweep.journal.note(self.at, "sweep", "began")
        self._record()

    def one(self) -> None:
        """Run a trial to its end."""
        self.at = attempt(self.sweep, self.at)
        self._record()

    def start(self, *, step: int, loss: float) -> int:
        """Begin a trial that goes on after its first report; its number."""
        begun = self.sweep.ask(self.at)
        assert begun is not None
        self.sweep.on(events.Started(trial=begun.trial, at=self.at))
        report = Report(step=step, train_s=1.5, reported_at=self.at, metrics={"loss": loss})
        node = Node(id="1", name="here")
        self.sweep.on(events.Reported(trial=begun.trial, at=self.at, reports=[report], node=node))
        self._record()
        return begun.trial

    def _record(self) -> None:
        rows = self.sweep.take(self.at)
        self._recorder.metrics(rows.metrics)
        self._recorder.events(rows.events)
        for row in rows.trials:
            self._recorder.trial(row)
        self._recorder.flush()
