"""Translates an Optuna study: its distributions become the space, its best trials the first configurations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft, Proposed
from orchestrator.formatting import listed

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

_SQLITE = b"SQLite format 3\x00"
_START = 3
"""Configurations to begin with."""


def is_sqlite(content: bytes) -> bool:
    """Whether a file, by its first bytes, is a database of SQLite."""
    return content.startswith(_SQLITE)


def is_journal(content: bytes) -> bool:
    """Whether a file, by its first bytes, is a journal of Optuna."""
    return content.startswith(b'{"op_code":')


def from_optuna(path: Path, name: str, shown: str, *, journal: bool) -> Draft:
    """Translate a study.

    Args:
        path: The database or journal.
        name: The study's name; "": the only one.
        shown: The path, for the first line.
        journal: Whether it is a journal.

    Raises:
        UserError: It holds no study, several and none is named, one with several objectives, or one without trials.
    """
    study = _study(path, name, shown, journal=journal)
    if len(study.directions) > 1:
        raise UserError(
            f"{shown}: the study {study.study_name} has {len(study.directions)} objectives; a sweep has one"
        )
    trials = study.get_trials(deepcopy=False)
    found: dict[str, BaseDistribution] = {}
    asked: dict[str, int] = {}
    notes: list[str] = []
    for trial in trials:
        for parameter, distribution in trial.distributions.items():
            asked[parameter] = asked.get(parameter, 0) + 1
            if found.setdefault(parameter, distribution) != distribution:
                note = f"{parameter} had several distributions: the last one is taken."
                notes += [] if note in notes else [note]
                found[parameter] = distribution
    if not found:
        raise UserError(f"{shown}: no trial of the study {study.study_name} has parameters")
    some = [parameter for parameter, count in asked.items() if count < len(trials)]
    if some:
        notes.append(f"Only some trials have {listed(some)}: add the conditions, as in when: \"optimizer == 'sgd'\".")
    notes.append("The study does not say what it trained: name it.")
    maximise = study.directions[0].name == "MAXIMIZE"
    whole = [each for each in trials if each.value is not None and each.params.keys() == found.keys()]
    best = sorted(whole, key=lambda each: each.value or 0.0, reverse=maximise)[:_START]
    sections: dict[str, Proposed] = {}
    if best and not notes[0].endswith("is taken."):
        start = [dict(each.params) for each in best]
        sections["search"] = Proposed(value={"start": start}, remark="the best of the study")
    metric = next(iter(study.metric_names or []), "value")
    return Draft(
        source=f"the Optuna study {study.study_name} in {shown}",
        notes=tuple(notes),
        runs=("trainable", Proposed(value="train.py:train")),
        space={parameter: Proposed(value=_distribution(each)) for parameter, each in found.items()},
        objective=Proposed(value={"metric": metric, "mode": "max" if maximise else "min"}),
        sections=sections,
    )


def _study(path: Path, name: str, shown: str, *, journal: bool) -> Study:
    import optuna
    from sqlalchemy.pool import NullPool

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage: Any
        if journal:
            storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
        else:
            url = f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
            storage = optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool}, skip_table_creation=True)
        names = optuna.get_all_study_names(storage)
        if not names:
            raise UserError(f"{shown}: it holds no study")
        if (not name and len(names) > 1) or (name and name not in names):
            raise UserError(f"{shown}: name one of its studies, as in {shown}:{names[0]}; it has {listed(names)}")
        return optuna.load_study(study_name=name or names[0], storage=storage)
    except UserError:
        raise
    except Exception as error:
        what = str(error).strip().partition("\n")[0]
        raise UserError(f"{shown}: Optuna cannot read it: {type(error).__name__}: {what}") from error


def _distribution(distribution: BaseDistribution) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match distribution:
        case CategoricalDistribution(choices=choices):
            return {"choice": _plain(choices)}
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return {"loguniform" if log else "uniform": [low, high]} | ({"step": step} if step is not None else {})
        case IntDistribution(low=low, high=high, log=log, step=step):
            return {"logint" if log else "int": [low, high]} | ({"step": step} if step != 1 else {})
    raise TypeError(type(distribution).__name__)


def _plain(choices: Sequence[Any]) -> list[Any]:
    return [list(each) if isinstance(each, tuple) else each for each in choices]
