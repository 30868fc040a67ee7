"""Splits rows into training, validation and test: at random, in the order of time, or by groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.declaration import Hyperparameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def shares(*, validation: str, test: str, default: float = 0.2) -> tuple[Hyperparameter, Hyperparameter]:
    """The hyperparameters ``validation`` and ``test``: the shares of the data in these parts.

    Args:
        validation, test: Their meanings.
        default: Both shares.
    """
    meanings = {"validation": validation, "test": test}
    first, second = (
        Hyperparameter(name=name, type=float, default=default, low=0.0, high=1.0, meaning=meaning)
        for name, meaning in meanings.items()
    )
    return first, second


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The numbers of the rows in each part, from 0 and rising."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def split(strata: NDArray[Any], *, seed: int, validation: float, test: float) -> Rows:
    """Split rows at random so that each stratum has its share in each part.

    A stratum gives each of validation and test its rounded share of its rows, and the rest to training; so
    one that is too small for a share is in training only, and training is never without it.

    Args:
        strata: The stratum of each row [rows], any integers; all equal for a split without strata.
        seed: The seed of the split; the same seed gives the same parts.
        validation, test: Shares of the rows.
    """
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(len(strata))
    part = np.full(len(strata), "train", dtype="<U10")
    for stratum in np.unique(strata):
        rows = shuffled[strata[shuffled] == stratum]
        tested = min(int(len(rows) * test + 0.5), len(rows) - 1)
        validated = min(int(len(rows) * validation + 0.5), len(rows) - 1 - tested)
        part[rows[:tested]] = "test"
        part[rows[tested : tested + validated]] = "validation"
    return _rows(part)


def split_in_time(times: NDArray[Any], *, validation: float, test: float) -> Rows:
    """Split rows so that all of training is before all of validation, and that before all of test.

    Rows of the same time are in the same part. So the parts are as near to their shares as times allow, and one may be
    without rows if there are few times.

    Args:
        times: The time of each row [rows], in any order; without NaN.
        validation, test: Shares of the rows.
    """
    import numpy as np

    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    starts = np.concatenate([np.flatnonzero(sorted_times[1:] != sorted_times[:-1]) + 1, [len(times)]])

    def cut(share: float) -> int:
        """Where the last ``share`` of the rows begins, moved to where a time begins."""
        wanted = len(times) - int(len(times) * share + 0.5)
        return int(starts[np.abs(starts - wanted).argmin()])

    validated, tested = cut(validation + test), cut(test) if test else len(times)
    part = np.full(len(times), "train", dtype="<U10")
    part[order[validated:]] = "validation"
    part[order[tested:]] = "test"
    return _rows(part)


def split_groups(groups: NDArray[Any], *, seed: int, validation: float, test: float) -> Rows:
    """Split groups at random: all rows of a group are in the same part.

    Test takes groups up to its share of the rows, at least one if it has a share; then validation; the rest is for
    training, which has no rows if there are too few groups.

    Args:
        groups: The group of each row [rows], any integers.
        seed: The seed of the split.
        validation, test: Shares of the rows.
    """
    import numpy as np

    names, sizes = np.unique(groups, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    sizes = sizes[shuffled]
    middles = (np.cumsum(sizes) - sizes / 2) / len(groups)
    tested = max(1, int((middles < test).sum())) if test else 0
    validated = tested + max(1, int(((middles < test + validation) & (np.arange(len(names)) >= tested)).sum()))
    part = np.full(len(groups), "train", dtype="<U10")
    part[np.isin(groups, names[shuffled[:validated]])] = "validation"
    part[np.isin(groups, names[shuffled[:tested]])] = "test"
    return _rows(part)


def _rows(part: NDArray[Any]) -> Rows:
    import numpy as np

    return Rows(**{name: np.flatnonzero(part == name) for name in ("train", "validation", "test")})


def some(rows: NDArray[np.intp], strata: NDArray[Any], *, seed: int, fraction: float) -> NDArray[np.intp]:
    """A share of the rows, at least one per stratum. With one seed, a smaller share is a subset of a larger one.

    Args:
        rows: Numbers of rows.
        strata: The stratum of every row that there is, as for :func:`split`.
        seed: The seed of the choice.
        fraction: The share of each stratum, rounded.
    """
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(rows)
    taken = [
        stratum[: max(1, int(len(stratum) * fraction + 0.5))]
        for stratum in (shuffled[strata[shuffled] == value] for value in np.unique(strata[rows]))
    ]
    return np.sort(np.concatenate(taken))
