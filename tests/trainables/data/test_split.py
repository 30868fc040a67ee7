"""Splits: at random by strata, in time, and by groups."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.data.split import Rows, some, split, split_groups, split_in_time

SHARES = {"validation": st.floats(0.05, 0.45), "test": st.floats(0.0, 0.5)}


def parts(rows: Rows) -> tuple[list[int], list[int], list[int]]:
    return rows.train.tolist(), rows.validation.tolist(), rows.test.tolist()


@given(
    strata=st.lists(st.integers(0, 4), min_size=1, max_size=200),
    seed=st.integers(0, 1000),
    validation=st.floats(0.05, 0.45),
    test=st.floats(0.0, 0.54),
)
@settings(derandomize=True, deadline=None, max_examples=80)
def test_parts_are_disjoint_complete_and_stratified(
    strata: list[int], seed: int, validation: float, test: float
) -> None:
    rows = split(np.array(strata), seed=seed, validation=validation, test=test)
    assert sorted([*rows.train, *rows.validation, *rows.test]) == list(range(len(strata)))
    for stratum in set(strata):
        size = strata.count(stratum)
        shares = {
            "train": sum(strata[row] == stratum for row in rows.train),
            "validation": sum(strata[row] == stratum for row in rows.validation),
            "test": sum(strata[row] == stratum for row in rows.test),
        }
        assert shares["train"] >= 1, "training is never without a class"
        assert abs(shares["validation"] - size * validation) <= 1
        assert abs(shares["test"] - size * test) <= 1


def test_the_split_is_that_of_its_seed() -> None:
    def validation(seed: int) -> list[int]:
        return split(np.zeros(100, dtype=int), seed=seed, validation=0.2, test=0.2).validation.tolist()

    assert validation(3) == validation(3)
    assert validation(3) != validation(4)


@given(
    strata=st.lists(st.integers(0, 4), min_size=1, max_size=200),
    fractions=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
)
@settings(derandomize=True, deadline=None, max_examples=80)
def test_a_smaller_share_of_the_training_rows_is_part_of_a_larger_one(
    strata: list[int], fractions: tuple[float, float]
) -> None:
    train = np.flatnonzero(np.arange(len(strata)) % 3 != 1)
    small, large = (some(train, np.array(strata), seed=7, fraction=fraction) for fraction in sorted(fractions))
    assert set(small) <= set(large) <= set(train)
    assert {strata[row] for row in small} == {strata[row] for row in train}


@given(times=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100), **SHARES)
@settings(max_examples=80)
def test_training_is_before_validation_and_that_before_test(times: list[float], validation: float, test: float) -> None:
    rows = split_in_time(np.array(times), validation=validation, test=test)
    found = [[times[row] for row in part] for part in parts(rows)]
    assert sorted(chain(*parts(rows))) == list(range(len(times)))
    there = [part for part in found if part]
    assert all(max(before) < min(after) for before, after in pairwise(there))
    assert found[0], "training is never empty"


def test_parts_in_time_have_their_shares_as_far_as_times_allow() -> None:
    shuffled = np.random.default_rng(0).permutation(100)
    rows = split_in_time(shuffled, validation=0.2, test=0.1)
    assert list(map(len, parts(rows))) == [70, 20, 10]
    assert set(shuffled[rows.test]) == set(range(90, 100))
    same_day = np.repeat(np.arange(10), 10)
    assert list(map(len, parts(split_in_time(same_day, validation=0.24, test=0.13)))) == [60, 30, 10]
    assert list(map(len, parts(split_in_time(np.zeros(9), validation=0.2, test=0.2)))) == [9, 0, 0]


@given(groups=st.lists(st.integers(0, 12), min_size=1, max_size=100), seed=st.integers(0, 99), **SHARES)
@settings(max_examples=80)
def test_no_group_is_in_two_parts(groups: list[int], seed: int, validation: float, test: float) -> None:
    rows = split_groups(np.array(groups), seed=seed, validation=validation, test=test)
    found = [{groups[row] for row in part} for part in parts(rows)]
    assert sorted(chain(*parts(rows))) == list(range(len(groups)))
    assert sum(map(len, found)) == len(set(groups))
    if len(set(groups)) >= 3:
        assert found[1], "validation has a group"
        assert bool(found[2]) == (test > 0)


def test_groups_are_drawn_by_the_seed_and_parts_have_their_shares() -> None:
    groups = np.repeat(np.arange(50), np.arange(1, 51))
    rows = split_groups(groups, seed=1, validation=0.2, test=0.2)
    assert [round(len(part) / len(groups), 1) for part in parts(rows)] == [0.6, 0.2, 0.2]
    assert parts(rows) == parts(split_groups(groups, seed=1, validation=0.2, test=0.2))
    assert parts(rows) != parts(split_groups(groups, seed=2, validation=0.2, test=0.2))
