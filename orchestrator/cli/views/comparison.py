"""`sweep compare`: the differences and the results of sweeps, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.analysis.compare.comparison import ComparedSweep, Comparison, Values
from orchestrator.cli.views.table import as_table
from orchestrator.cli.views.text import state_counts
from orchestrator.formatting import count, duration

LONG = 40
"""Characters of a value before it is cut short."""


def comparison_text(found: Comparison, names: Sequence[str]) -> str:
    """A key a line, a sweep a column."""
    blocks = {
        "spec": {key: tuple(map(_value, row)) for key, row in found.spec.items()},
        "code, data, versions": {key: tuple(map(_value, row)) for key, row in found.origin.items()},
        "outcome": dict(_outcome(found)),
    }
    widths = [max(len(text) for text in column) for column in zip(*_rows(blocks, names), strict=True)]
    texts = [
        _block(title, rows, names, widths) if rows else f"{title}: no difference" for title, rows in blocks.items()
    ]
    if found.trials is None:
        texts.append("They are after different metrics, so their results are not compared.")
    return "\n\n".join(texts)


def comparison_data(found: Comparison, names: Sequence[str]) -> dict[str, Any]:
    """The comparison as data, with whole values."""

    def named(rows: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
        return {key: dict(zip(names, row, strict=True)) for key, row in rows.items()}

    return {
        "sweeps": list(names),
        "spec": named(found.spec),
        "origin": named(found.origin),
        "outcome": {name: _facts(sweep) for name, sweep in zip(names, found.sweeps, strict=True)},
        "same_trials": found.trials,
        "best_after_same_trials": dict(zip(names, _after_trials(found), strict=True)),
        "same_seconds": found.seconds,
        "best_after_same_seconds": dict(zip(names, _after_seconds(found), strict=True)),
    }


def comparison_rows(found: Comparison, names: Sequence[str]) -> list[dict[str, Any]]:
    """A difference a row, then what came of them."""
    whole = {**found.spec, **found.origin, **dict(_outcome(found))}
    return [{"key": key, **dict(zip(names, row, strict=True))} for key, row in whole.items()]


def _outcome(found: Comparison) -> Iterator[tuple[str, Values]]:
    sweeps = found.sweeps
    metrics = {sweep.progress.objective.metric for sweep in sweeps}
    best = [None if sweep.best is None else sweep.best.value for sweep in sweeps]
    yield "status", tuple(sweep.overview.status for sweep in sweeps)
    if found.trials is not None:
        yield f"best {metrics.pop()}", tuple(map(_number, best))
    else:
        aims = [f" ({sweep.progress.objective.mode} {sweep.progress.objective.metric})" for sweep in sweeps]
        yield "best", tuple(f"{_number(value)}{aim}" for value, aim in zip(best, aims, strict=True))
    if found.trials is not None and len({len(sweep.progress.ends) for sweep in sweeps}) > 1:
        yield f"best after {count(found.trials, 'trial')}", tuple(map(_number, _after_trials(found)))
    if found.seconds is not None:
        yield f"best after {duration(found.seconds)}", tuple(map(_number, _after_seconds(found)))
    yield "trials", tuple(str(sum(sweep.overview.states.values())) for sweep in sweeps)
    yield "of these", tuple(state_counts(sweep.overview.states) or "–" for sweep in sweeps)
    yield "ran for", tuple(duration(sweep.progress.seconds) for sweep in sweeps)
    yield "slots' time", tuple(_spent(sweep) for sweep in sweeps)


def _after_trials(found: Comparison) -> list[float | None]:
    return [None if found.trials is None else sweep.progress.after_trials(found.trials) for sweep in found.sweeps]


def _after_seconds(found: Comparison) -> list[float | None]:
    return [None if found.seconds is None else sweep.progress.after_seconds(found.seconds) for sweep in found.sweeps]


def _spent(sweep: ComparedSweep) -> str:
    total = sweep.ledger.total
    return f"{total / 3600:.3g} GPU-hours" if sweep.ledger.unit == "gpu" else duration(total)


def _facts(sweep: ComparedSweep) -> dict[str, Any]:
    return {
        "status": sweep.overview.status,
        "best": None if sweep.best is None else asdict(sweep.best),
        "metric": sweep.progress.objective.metric,
        "mode": sweep.progress.objective.mode,
        "states": {state.value: number for state, number in sweep.overview.states.items()},
        "seconds": sweep.progress.seconds,
        "slots": {"unit": sweep.ledger.unit, "seconds": sweep.ledger.total},
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _value(value: Any) -> str:
    """A value as in YAML, without quotes; a long list as its length."""
    text = _plain(value)
    if len(text) <= LONG:
        return text
    return count(len(value), "item") if isinstance(value, list) else f"{text[: LONG - 1]}…"


def _plain(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.6g}"
        case Mapping():
            shown = (f"{key} {_plain(each)}" for key, each in value.items() if each is not False)
            return ", ".join(shown)
        case list() | tuple():
            return f"[{', '.join(map(_plain, value))}]"
    return str(value)


def _rows(blocks: Mapping[str, Mapping[str, Values]], names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for title, rows in blocks.items():
        yield title, *names
        yield from ((key, *map(str, row)) for key, row in rows.items())


def _block(title: str, rows: Mapping[str, Values], names: Sequence[str], widths: Sequence[int]) -> str:
    """A table whose columns stand below those of the others."""
    columns = [title, *names]
    padded = [column.ljust(width) for column, width in zip(columns, widths, strict=True)]
    return as_table([dict(zip(padded, (key, *row), strict=True)) for key, row in rows.items()])
