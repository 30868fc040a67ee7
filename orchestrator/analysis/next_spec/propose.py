"""Proposes the next spec from a sweep's records, without writing it."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from orchestrator.analysis.compare.importance import Importance, importance_in
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds
from orchestrator.analysis.next_spec.apply_rules import RevisedSpec, apply_rules
from orchestrator.analysis.next_spec.prior_results import FEWEST, PriorResults
from orchestrator.analysis.next_spec.relative_paths import rebase_paths
from orchestrator.analysis.next_spec.spec_change import PlainSpec, SpecChange, apply_change
from orchestrator.analysis.next_spec.spec_text import render_spec
from orchestrator.analysis.summary.results import read_results
from orchestrator.errors import NoResultError, OverwriteError, SpecError, TrainableError, UserError
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.plain_files import read_text
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from orchestrator.spec.sections import METHODS
from trainables import BUILTIN
from trainables.declaration import Declaration, Hyperparameter

_GENERATION = re.compile(r"-next(-\d+)?$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CODE_NOT_RUN = "sweep next runs no code of a sweep; sweep check does"
LONGEST = 100
"""The most characters of a sweep's name."""


@dataclass(frozen=True, kw_only=True)
class NextSpec:
    """The spec of the next sweep."""

    file: Path  # where to write the spec; does not exist yet
    text: str
    changes: tuple[SpecChange, ...]
    enough: bool  # whether there were enough results to change ranges
    unchecked: str  # why it was not checked against the trainable; "" if it was


def propose_next(paths: SweepPaths, info: SweepInfo, output: Path | None = None) -> NextSpec:
    """Propose the spec of the next sweep.

    Args:
        paths: The sweep's files.
        info: The contents of sweep.json.
        output: The file to write, or its directory; None: beside the spec that the sweep was launched with.

    Raises:
        UserError: The sweep's method is list, or the output cannot be used.
        SweepError: No trial has a result.
        RecordsError: The records are damaged.
    """
    revision = revise(paths, info)
    prior, proposal, base = revision.prior, revision.proposal, Path(info.directory)
    called, file = _place(paths.name, paths.root.parent, base, output)
    rebased = rebase_paths(proposal.plain, base, file.parent)
    final = reduce(apply_change, rebased, proposal.plain) | {"name": called, "parent": paths.name}
    best = prior.ranked[0]
    objective = prior.results.objective
    head = (
        f"from {paths.name}, {count(len(prior.results.trials), 'trial')}, best {objective.metric} {best.value:.6g};"
        " each changed line says why"
    )
    if not prior.enough:
        head += f"; {len(prior.ranked)} results are too few to change ranges, {FEWEST} are needed"
    text = read_text(paths.spec)
    return NextSpec(
        file=file,
        text=render_spec(text, final, [*rebased, *proposal.changes], head=head, base=base),
        changes=proposal.changes,
        enough=prior.enough,
        unchecked=revision.unchecked,
    )


@dataclass(frozen=True, kw_only=True)
class Revision:
    """The changes to the spec of a sweep, before it has a name and a place."""

    prior: PriorResults
    proposal: RevisedSpec
    unchecked: str  # as in NextSpec


def revise(paths: SweepPaths, info: SweepInfo, importance: Importance | None = None) -> Revision:
    """Decide what the next spec changes. Nothing is written, and no code of the sweep is run.

    Args:
        paths: The sweep's files.
        info: The contents of sweep.json.
        importance: The importance of its parameters, if it has been estimated already.

    Raises:
        UserError: The sweep's method is list, or its spec is none of this version.
        SweepError: No trial has a result.
        RecordsError: The records are damaged.
    """
    if info.spec["search"]["method"] == "list":
        raise UserError(
            f"{paths.name} ran a list of configurations, so there is no range to change; sweep confirm repeats its best"
        )
    base = Path(info.directory)
    plain, declaration, unchecked = _checked(info, base)
    prior = _prior_results(paths, info, declaration, importance)
    if not prior.ranked:
        raise NoResultError(f"no trial of {paths.name} has a result yet")
    resolve = None if unchecked else declared

    def is_valid(candidate: PlainSpec) -> bool:
        with suppress(SpecError):
            parse_spec(candidate, base=base, resolve=resolve)
            return True
        return False

    return Revision(prior=prior, proposal=apply_rules(prior, plain, is_valid), unchecked=unchecked)


def _checked(info: SweepInfo, base: Path) -> tuple[PlainSpec, Declaration | None, str]:
    """The effective spec, what its trainable declares, and why the spec was not checked against it.

    Only what comes with this program is loaded: the code of a recorded sweep may be anybody's.
    """
    built_in = {info.trainable, info.spec.get("trainable")} <= BUILTIN.keys()
    if not built_in or info.spec["search"]["method"] not in METHODS:
        return parse_spec(info.spec, base=base).to_plain(), None, CODE_NOT_RUN
    declaration = None
    with suppress(TrainableError):
        declaration = declared(info.trainable, base)
    try:
        return parse_spec(info.spec, base=base, resolve=declared).to_plain(), declaration, ""
    except SpecError as error:
        why = error.mistakes[0]
        return parse_spec(info.spec, base=base).to_plain(), declaration, f"{why.key}: {why.problem}"


def _prior_results(
    paths: SweepPaths, info: SweepInfo, declaration: Declaration | None, importance: Importance | None
) -> PriorResults:
    results = read_results(paths, info)
    trials = results.planned or len(results.trials)
    prior = PriorResults(sweep=paths.name, results=results, trials=trials)
    if not prior.enough:
        return prior
    return replace(
        prior,
        weights={weight.name: weight for weight in (importance or importance_in(paths, info)).weights},
        bounds={each.parameter: each for each in at_bounds(results)},
        declared=_recorded(info) if declaration is None else {each.name: each for each in declaration.hyperparameters},
    )


def _recorded(info: SweepInfo) -> dict[str, Hyperparameter]:
    """What the trainable declared at the launch, as far as it is recorded: the limits of values."""
    return {
        name: Hyperparameter(
            name=name,
            type=object,
            default=None,
            meaning="",
            choices=tuple(limits.choices),
            low=-math.inf if limits.low is None else limits.low,
            high=math.inf if limits.high is None else limits.high,
        )
        for name, limits in info.limits.items()
    }


def _place(name: str, results: Path, base: Path, output: Path | None) -> tuple[str, Path]:
    """The name of the next sweep, and the file for its spec.

    Raises:
        UserError: The output file exists, or is not a YAML file.
    """
    if output is None or output.is_dir():
        directory = output or (base if base.is_dir() else Path())
        called = _free(name, lambda each: (directory / f"{each}.yaml").exists() or (results / each).exists())
        return called, directory / f"{called}.yaml"
    if output.suffix not in (".yaml", ".yml"):
        raise UserError(f"{output} is neither a directory nor a .yaml file")
    if output.exists():
        raise OverwriteError(f"{output} already exists; choose another file with -o")
    named = _NAME.fullmatch(output.stem)
    return output.stem if named else _free(name, lambda each: (results / each).exists()), output


def _free(name: str, taken: Callable[[str], bool]) -> str:
    """``churn-next``, or ``churn-next-2`` and so on if that is taken."""
    stem = _GENERATION.sub("", name)[: LONGEST - len("-next-999")]
    names = (f"{stem}-next{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    return next(each for each in names if not taken(each))
