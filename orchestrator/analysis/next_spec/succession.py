"""Reads a sweep's records and puts the next spec together. Nothing is written here."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from orchestrator.analysis.compare.importance import importance_in
from orchestrator.analysis.diagnosis.evidence import evidence_of
from orchestrator.analysis.diagnosis.findings.bounds import at_bounds
from orchestrator.analysis.next_spec.draft import drafted
from orchestrator.analysis.next_spec.experience import FEWEST, Experience
from orchestrator.analysis.next_spec.paths import moved
from orchestrator.analysis.next_spec.policy import propose
from orchestrator.analysis.next_spec.revision import Plain, Revision, revised
from orchestrator.errors import SpecError, SweepError, TrainableError, UserError
from orchestrator.formatting import count
from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import SweepInfo
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from trainables.contract import Declaration

_GENERATION = re.compile(r"-next(-\d+)?$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST = 100
"""Characters of a sweep's name."""


@dataclass(frozen=True, kw_only=True)
class Next:
    """The spec of the next sweep."""

    file: Path  # where it belongs; nothing is there
    text: str
    revisions: tuple[Revision, ...]
    enough: bool  # whether there were trials enough to change ranges
    unchecked: str  # why it was not held against the trainable; "" if it was


def succeed(paths: SweepPaths, info: SweepInfo, output: Path | None = None) -> Next:
    """What to search after a sweep.

    Args:
        paths: The sweep's files.
        info: What sweep.json holds.
        output: The file to be written, or its directory; None: beside the spec that the sweep was launched with.

    Raises:
        UserError: A list is no search, or something is there already.
        SweepError: No trial has a result.
        RecordsError: The records are damaged.
    """
    if info.spec["search"]["method"] == "list":
        raise UserError(f"{info.name} tried a list, and there is no range to narrow; `sweep confirm` repeats its best")
    base = Path(info.directory)
    plain, declaration, unchecked = _checked(info, base)
    known = _learnt(paths, info, declaration)
    if not known.ranked:
        raise SweepError(f"no trial of {info.name} has a result, so there is nothing to go on from")
    resolve = None if unchecked else declared

    def is_sound(candidate: Plain) -> bool:
        with suppress(SpecError):
            parse_spec(candidate, base=base, resolve=resolve)
            return True
        return False

    proposal = propose(known, plain, is_sound)
    called, file = _place(info.name, paths.root.parent, base, output)
    moves = moved(proposal.plain, base, file.parent)
    final = reduce(revised, moves, proposal.plain) | {"name": called, "parent": info.name}
    best = known.ranked[0]
    objective = known.evidence.objective
    head = (
        f"from {info.name}, {count(len(known.evidence.outcomes), 'trial')}, best {objective.metric} {best.value:.6g};"
        " what has changed says why behind the line"
    )
    if not known.enough:
        head += f"; {len(known.ranked)} results are too few to change ranges by, {FEWEST} are needed"
    text = paths.spec.read_text(errors="replace") if paths.spec.is_file() else ""
    return Next(
        file=file,
        text=drafted(text, final, [*moves, *proposal.revisions], head=head, base=base),
        revisions=proposal.revisions,
        enough=known.enough,
        unchecked=unchecked,
    )


def _checked(info: SweepInfo, base: Path) -> tuple[Plain, Declaration | None, str]:
    """The effective spec, what its trainable declares, and why that could not be asked."""
    declaration = None
    with suppress(TrainableError):
        declaration = declared(info.trainable, base)
    try:
        return parse_spec(info.spec, base=base, resolve=declared).to_plain(), declaration, ""
    except SpecError as error:
        why = error.mistakes[0]
        return parse_spec(info.spec, base=base).to_plain(), declaration, f"{why.key}: {why.problem}"


def _learnt(paths: SweepPaths, info: SweepInfo, declaration: Declaration | None) -> Experience:
    evidence = evidence_of(paths, info)
    trials = evidence.planned or len(evidence.outcomes)
    known = Experience(sweep=info.name, evidence=evidence, trials=trials)
    if not known.enough:
        return known
    return replace(
        known,
        weights={weight.name: weight for weight in importance_in(paths, info).weights},
        bounds={each.parameter: each for each in at_bounds(evidence)},
        declared={} if declaration is None else {each.name: each for each in declaration.hyperparameters},
    )


def _place(name: str, results: Path, base: Path, output: Path | None) -> tuple[str, Path]:
    """What the next sweep is called, and its file.

    Raises:
        UserError: The file that was asked for is there, or is no name for a spec.
    """
    if output is None or output.is_dir():
        directory = output or (base if base.is_dir() else Path())
        called = _free(name, lambda each: (directory / f"{each}.yaml").exists() or (results / each).exists())
        return called, directory / f"{called}.yaml"
    if output.suffix not in (".yaml", ".yml"):
        raise UserError(f"{output} is no directory, and no name for a spec: give one that ends in .yaml")
    if output.exists():
        raise UserError(f"{output} exists, and nothing is overwritten; name another with -o")
    named = _NAME.fullmatch(output.stem)
    return output.stem if named else _free(name, lambda each: (results / each).exists()), output


def _free(name: str, taken: Callable[[str], bool]) -> str:
    """``churn-next``, or numbered."""
    stem = _GENERATION.sub("", name)[: LONGEST - len("-next-999")]
    names = (f"{stem}-next{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    return next(each for each in names if not taken(each))
