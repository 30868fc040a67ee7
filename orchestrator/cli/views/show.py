"""`sweep show`: its views of a sweep. Each reads only the records that it needs."""

from __future__ import annotations

from orchestrator.cli.formats import Answer
from orchestrator.records.paths import SweepPaths


def whole(paths: SweepPaths, top: int) -> Answer:
    """The summary of a sweep, with its best trials."""
    from orchestrator.cli.views.sweep import SweepView

    found = SweepView.of(paths, top)
    return Answer(text=found.text, data=found.data(), rows=found.rows(), damage=found.damage)


def one_trial(paths: SweepPaths, trial: int) -> Answer:
    """Everything recorded about a trial."""
    from orchestrator.cli.views.sweep import trial_row, trial_text

    row = trial_row(paths, trial)
    return Answer(text=lambda: trial_text(paths, row), data=row, rows=[row])


def failures(paths: SweepPaths) -> Answer:
    """Failed trials by cause, and where in the space each cause occurs."""
    from orchestrator.analysis.diagnosis.findings.failures import failure_region
    from orchestrator.analysis.summary.failures import causes
    from orchestrator.analysis.summary.results import read_results
    from orchestrator.cli.views.sweep import cause_data, causes_text
    from orchestrator.records.provenance import read_sweep_json

    results = read_results(paths, read_sweep_json(paths.info))
    found = causes(paths)
    places = {cause.fingerprint: failure_region(results, cause.trials) for cause in found}
    data = [{**cause_data(paths, cause), "where": places[cause.fingerprint] or None} for cause in found]
    return Answer(text=lambda: causes_text(paths, found, places), data=data, rows=data)


def diagnosis(paths: SweepPaths) -> Answer:
    """What the curves of the trials show, and the sweep as a whole."""
    from orchestrator.analysis.diagnosis.diagnose import diagnose
    from orchestrator.cli.views.diagnosis import diagnosis_data, diagnosis_rows, diagnosis_text
    from orchestrator.records.provenance import read_sweep_json

    found = diagnose(paths, read_sweep_json(paths.info))
    return Answer(
        text=lambda: diagnosis_text(paths.name, found), data=diagnosis_data(found), rows=diagnosis_rows(found)
    )


def importance(paths: SweepPaths) -> Answer:
    """How much each parameter matters."""
    from orchestrator.analysis.compare.importance import importance_in
    from orchestrator.analysis.summary.overview import objective_of
    from orchestrator.cli.views.importance import importance_data, importance_rows, importance_text
    from orchestrator.records.provenance import read_sweep_json

    info = read_sweep_json(paths.info)
    found = importance_in(paths, info)
    return Answer(
        text=lambda: importance_text(paths.name, objective_of(info), found),
        data=importance_data(found),
        rows=importance_rows(found),
    )


def ledger(paths: SweepPaths) -> Answer:
    """Where the time of the slots went."""
    from orchestrator.analysis.time.ledger import ledger_in
    from orchestrator.cli.views.ledger import ledger_data, ledger_rows, ledger_text
    from orchestrator.records.provenance import read_sweep_json

    found = ledger_in(paths, read_sweep_json(paths.info))
    return Answer(text=lambda: ledger_text(paths.name, found), data=ledger_data(found), rows=ledger_rows(found))


def events(paths: SweepPaths, count: int | None) -> Answer:
    """The latest events, by default as many as fit on a screen."""
    from orchestrator.cli.views.events import NEWEST, events_rows, events_text, newest
    from orchestrator.core.rung_unit import recorded_unit
    from orchestrator.records.provenance import read_sweep_json

    found, unit = newest(paths, count or NEWEST), recorded_unit(read_sweep_json(paths.info).spec)
    return Answer(text=lambda: events_text(paths.name, found, unit), data=events_rows(found), rows=events_rows(found))


def repeats(paths: SweepPaths) -> Answer:
    """Configurations that were trained several times."""
    from orchestrator.analysis.compare.repeats import repeats_in
    from orchestrator.analysis.summary.overview import objective_of
    from orchestrator.cli.views.repeats import repeats_rows, repeats_text
    from orchestrator.records.provenance import read_sweep_json

    info = read_sweep_json(paths.info)
    found = repeats_in(paths, info)
    rows = repeats_rows(found)
    return Answer(text=lambda: repeats_text(paths.name, objective_of(info), found), data=rows, rows=rows)
