"""The summary of a sweep: `sweep show` prints it, and `sweep launch` ends with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from orchestrator.analysis.compare.audit import AuditResult, audit_in
from orchestrator.analysis.diagnosis.diagnose import urgent_findings
from orchestrator.analysis.diagnosis.findings.finding import Finding
from orchestrator.analysis.outlook.outlook import Outlook
from orchestrator.analysis.outlook.recorded import outlook_in
from orchestrator.analysis.summary.evaluations import Evaluation, evaluations
from orchestrator.analysis.summary.failures import Cause, causes
from orchestrator.analysis.summary.overview import Objective, Overview, notes, objective_of, overview
from orchestrator.analysis.summary.ranking import RankedTrial, best_trials, configs_in_table, full_config
from orchestrator.analysis.summary.rungs import rung_table
from orchestrator.analysis.time.ledger import accounts
from orchestrator.cli.formats import COLOURS, painted
from orchestrator.cli.options import typed
from orchestrator.cli.views.audit import audit_data, audit_text
from orchestrator.cli.views.diagnosis import finding_data, finding_lines
from orchestrator.cli.views.outlook import outlook_data, outlook_text
from orchestrator.cli.views.table import as_table, config_block
from orchestrator.cli.views.text import evaluated, one_line, rung_rows, scores_line, spent, state_counts
from orchestrator.control import slurm_status
from orchestrator.core.rows import State
from orchestrator.core.rung_unit import recorded_unit
from orchestrator.core.schedulers import RungSummary
from orchestrator.core.time_account import TimeAccount, total
from orchestrator.errors import NoSuchTrialError, RecordsError
from orchestrator.formatting import count, to_spread
from orchestrator.records.load import trials_table
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo, read_sweep_json
from orchestrator.records.schema import CONFIG

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """The summary of a sweep, which fits on a screen."""

    paths: SweepPaths
    info: SweepInfo
    overview: Overview
    objective: Objective
    notes: list[str]  # what the sweep noted, as why it ended early
    rungs: list[RungSummary]
    top: list[RankedTrial]
    causes: list[Cause]
    evaluations: list[Evaluation]
    account: TimeAccount | None  # over all sessions that came to their end
    findings: list[Finding]  # the most urgent ones
    outlook: list[Outlook]  # what further trials would bring
    audit: AuditResult | None  # how often early stopping was wrong
    damage: list[str]  # what of the records is damaged: the parts that need it are empty

    @classmethod
    def of(cls, paths: SweepPaths, count: int) -> SweepView:
        """Read the summary, with ``count`` of the best trials."""
        info = read_sweep_json(paths.info)
        objective = objective_of(info)
        damage: list[str] = []

        def part(read: Callable[[], T]) -> T | None:
            try:
                return read()
            except RecordsError as error:
                damage.append(str(error))
                return None

        top = part(lambda: best_trials(paths, info, count)) or []
        if damage:
            top = part(lambda: best_trials(paths, info, count, read_configs=configs_in_table)) or []
        urgent = part(lambda: urgent_findings(paths, info)) or []
        return cls(
            paths=paths,
            info=info,
            overview=overview(paths),
            objective=objective,
            notes=part(lambda: notes(paths)) or [],
            rungs=part(lambda: rung_table(paths)) or [],
            top=top,
            causes=part(lambda: causes(paths)) or [],
            evaluations=part(lambda: evaluations(paths)) or [],
            account=part(lambda: total(accounts(paths))),
            findings=[each for each in urgent if each.subject != "failures"],
            outlook=part(lambda: outlook_in(paths, objective, info)) or [],
            audit=part(lambda: audit_in(paths, info)),
            damage=list(dict.fromkeys(damage)),
        )

    def text(self) -> str:
        """The summary as text."""
        blocks = [self._head(), self._best(), self._table()]
        if self.rungs:
            table = as_table(rung_rows(self.rungs, recorded_unit(self.info.spec)))
            blocks.append("\n".join(filter(None, [table, audit_text(self.audit)])))
        if self.causes:
            blocks.append(causes_text(self.paths, self.causes, tracebacks=False))
        if self.findings:
            more = f"more: sweep show {typed(self.paths)} --diagnosis"
            blocks.append("\n".join([*(f"· {line}" for line in finding_lines(self.findings)), more]))
        return "\n\n".join(block for block in blocks if block)

    def _head(self) -> str:
        states, status = self.overview.states, self.overview.status
        aim = f"{self.objective.mode} {self.objective.metric} ({self.objective.at} of a trial)"
        name = painted(self.paths.name, None, bold=True)
        lines = [
            f"{name}  {painted(status, COLOURS.get(status))}  {self.info.trainable}, {aim}",
            f"{count(sum(states.values()), 'trial')}: {state_counts(states)}" if states else "no trials yet",
            *([] if self.info.name == self.paths.name else [f"launched as {self.info.name}, as its records call it"]),
            *self._queued(),
            *self.notes,
        ]
        if self.account is not None:
            lines.append(spent(self.account))
        return "\n".join(lines)

    def _queued(self) -> list[str]:
        """What a queued sweep waits for."""
        if self.overview.status not in ("queued", "queued?") or (job := slurm_status.job_status(self.paths)) is None:
            return []
        unknown = job.state == slurm_status.UNKNOWN
        return [f"job {job.job} cannot be looked up: Slurm is not installed here" if unknown else job.sentence()]

    def _best(self) -> str:
        """The best trial and its whole configuration; empty if no trial has a result."""
        if not self.top:
            return ""
        best = self.top[0]
        value = painted(f"{self.objective.metric} {to_spread(best.value, self.overview.spread)}", "green")
        running = ", paused" if best.state is State.PAUSED else "" if best.state.ended else ", still running"
        lines = [
            f"best: trial {best.trial}, {value} at step {best.step}{running}",
            config_block(full_config(self.info, best)),
            *map(evaluated, self.evaluations),
            outlook_text(self.outlook, self.objective.metric),
        ]
        return "\n".join(line for line in lines if line)

    def _table(self) -> str:
        """The best trials; empty if there is only one."""
        if len(self.top) < 2:
            return ""
        return as_table(
            [
                {
                    "trial": each.trial,
                    "state": each.state.value,
                    self.objective.metric: to_spread(each.value, self.overview.spread),
                    f"{self.objective.at} step": each.step,
                    "configuration": each.config,
                }
                for each in self.top
            ]
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row for each of the best trials, with the columns of the trials table."""
        return [
            {
                "trial": each.trial,
                "state": each.state.value,
                self.objective.metric: each.value,
                f"{self.objective.at}_step": each.step,
                "train_s": each.train_s,
                **{CONFIG + name: value for name, value in each.config.items()},
            }
            for each in self.top
        ]

    def data(self) -> dict[str, Any]:
        """The summary as data."""
        return {
            "name": self.paths.name,
            "status": self.overview.status,
            "directory": str(self.paths.root),
            "created": self.info.created,
            "trainable": self.info.trainable,
            "objective": asdict(self.objective),
            "states": {state.value: count for state, count in self.overview.states.items()},
            "notes": self.notes,
            "rung_unit": recorded_unit(self.info.spec),
            "rungs": [asdict(rung) for rung in self.rungs],
            "top": [asdict(each) for each in self.top],
            "failures": [cause_data(self.paths, cause) for cause in self.causes],
            "evaluations": [each.data() for each in self.evaluations],
            "account": None if self.account is None else asdict(self.account),
            "findings": [finding_data(each) for each in self.findings],
            "outlook": outlook_data(self.outlook),
            "audit": audit_data(self.audit),
            "damage": self.damage,
        }


def causes_text(
    paths: SweepPaths, found: list[Cause], places: Mapping[str, str] | None = None, *, tracebacks: bool = True
) -> str:
    """Failed trials, one block for each cause.

    Args:
        paths: The sweep's files.
        found: The causes.
        places: Where in the space the failures of a cause lie, by its fingerprint.
        tracebacks: Whether to show them.
    """
    if not found:
        return f"no trial of {paths.name} has failed"
    blocks = []
    for cause in found:
        trials = ", ".join(map(str, cause.trials[:8])) + (", …" if len(cause.trials) > 8 else "")
        title = painted(f"{len(cause.trials)} × {cause.fingerprint}", "red")
        lines = [f"{title}  (trial{'s' if len(cause.trials) > 1 else ''} {trials})", f"  {one_line(cause.message)}"]
        lines += [f"  {place}" for place in [(places or {}).get(cause.fingerprint)] if place]
        if tracebacks and cause.traceback:
            lines += [f"  {line}" for line in cause.traceback.rstrip().splitlines()]
        log = paths.log(cause.trials[0])
        lines += [f"  {log}"] if log.exists() else []
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) if tracebacks else "\n".join(blocks)


def cause_data(paths: SweepPaths, cause: Cause) -> dict[str, Any]:
    """A cause as data."""
    return {**asdict(cause), "trials": list(cause.trials), "log": str(paths.log(cause.trials[0]))}


def trial_row(paths: SweepPaths, trial: int) -> dict[str, Any]:
    """A trial's row of the trials table, times as ISO 8601, and its latest ``evaluation`` or None.

    Raises:
        UserError: There is no such trial.
    """
    rows = {row["trial"]: row for row in trials_table(paths).to_pylist()}
    if trial not in rows:
        raise NoSuchTrialError(f"{paths.name} has no trial {trial}; it has {count(len(rows), 'trial')}, from 0")
    row = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in rows[trial].items()}
    looks = [each.data() for each in evaluations(paths) if each.trial == trial]
    return {**row, "evaluation": looks[-1] if looks else None}


def trial_text(paths: SweepPaths, row: dict[str, Any]) -> str:
    """A trial as one line for each value that is set; the traceback comes last."""
    lines = [
        f"{name:<18} {value}"
        for name, value in row.items()
        if value not in (None, [], "") and name not in ("error_traceback", "evaluation")
    ]
    if row["evaluation"] is not None:
        lines.append(f"{'evaluation':<18} {scores_line(row['evaluation']['scores'])}")
    log = paths.log(row["trial"])
    lines += [f"{'log':<18} {log}"] if log.exists() else []
    return "\n".join([*lines, row["error_traceback"] or ""]).rstrip()
