# ruff: noqa: E501  (a line a mistake: the tables read better than they fit)
"""Mistakes in well-formed specs: in space, configurations, scheduler, and against the trainable."""

import math
from enum import IntEnum, StrEnum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from orchestrator.core.ladder import ladder
from orchestrator.errors import SpecError
from orchestrator.spec import max_step, parse_spec
from orchestrator.spec.max_step import max_rung, max_seconds
from tests.spec.churn_example import TABULAR, hyperparameter
from trainables.declaration import Declaration

SPACE = {
    "lr": {"uniform": [0, 1]},
    "optimizer": {"choice": ["sgd", "adam"]},
    "momentum": {"uniform": [0, 1], "when": "optimizer == 'sgd'"},
}


def written(**sections):
    return {"trainable": "t", "space": SPACE, "objective": {"metric": "val_loss"}, **sections}


def mistakes(base=Path(), resolve=None, **sections):
    try:
        parse_spec(written(**sections), base=base, resolve=resolve)
    except SpecError as error:
        return [str(mistake).removeprefix("spec: ") for mistake in error.mistakes]
    return []


def declared(*hyperparameters, **more):
    return lambda reference, base: Declaration(hyperparameters=hyperparameters, **more)


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"space": {"l r": {"int": [0, 1]}}}, "space.l r: 'l r' is not a valid parameter name"),
        ({"fixed": {"lr": 1}}, "space.lr: lr is also in fixed"),
        ({"fixed": {"x": math.nan}}, "fixed.x: nan cannot be recorded exactly"),
        ({"fixed": {"x": "\ud800"}}, "fixed.x: not text: half of a surrogate pair, which no file can hold"),
        ({"fixed": {"x": 10**5000}}, "fixed.x: a huge integer cannot be recorded exactly"),
        ({"space": {"a": {"int": [0, 1], "when": "a > 0"}}}, "space.a.when: conditions form a cycle: a → a"),
        ({"constraints": ["lr < 0"]}, "constraints[0]: none of 1000 random configurations meets 'lr < 0'"),
        ({"constraints": ["lr < 0.5", "lr > 0.5"]}, "constraints: none of 1000 random configurations meets all"),
        ({"constraints": ["lr / 0 > 1"]}, "constraints[0]: 'lr / 0 > 1' cannot be evaluated for lr = "),
        ({"constraints": ["optimizer < 1"]}, "constraints[0]: 'optimizer < 1' cannot be evaluated"),
        ({"space": {**SPACE, "a": {"int": [0, 1], "when": "lr % 0 == 1"}}}, "space.a.when: 'lr % 0 == 1' cannot be"),
        ({"constraints": ["optimizer == 'adm'"]}, "constraints[0]: optimizer is never 'adm' (did you mean 'adam'?"),
        ({"search": {"method": "grid"}}, "space.lr: uniform has infinitely many values, and method grid tries all values "
         "(add a step:, or use grid: [...])"),
        ({"search": {"method": "grid"}, "space": {"a": {"normal": [0, 1]}}}, "tries all values (use grid: [...])"),
        ({"search": {"start": [{"lr": 0.1}]}}, "search.start[0].optimizer: no value for optimizer (one of: sgd, adam)"),
        ({"search": {"start": [{"lr": 2, "optimizer": "adam"}]}}, "search.start[0].lr: 2 is not in the space (a number in"),
        ({"search": {"start": [{"lr": 1, "optimizer": "sgd", "momentum": 1}]}, "constraints": ["lr + momentum < 2"]},
         "search.start[0]: violates the constraint 'lr + momentum < 2'"),
        ({"search": {"start": [{"l r": 1}]}}, "search.start[0].l r: 'l r' is not a valid parameter name"),
        ({"space": {"lr": {"loguniform": [1e-5, 1e-1], "prior": 3}}}, "space.lr.prior: 3 is not in the space (a number in"),
        ({"space": {"lr": {"uniform": [0, 1], "prior": "high"}}}, "space.lr.prior: 'high' is not in the space (a number in"),
        ({"space": {"a": {"choice": ["sgd", "adam"], "prior": "adm"}}}, "space.a.prior: 'adm' is not in the space (did you"
         " mean 'adam'?"),
        ({"space": {"lr": {"uniform": [0, 1], "prior": 0.5}}, "search": {"method": "random"}},
         "space.lr.prior: method random does not use a prior (leave it out, or use a method that learns)"),
        ({"search": {"method": "list"}}, "search.configs: method list has no configurations"),
        (
            {"search": {"method": "list", "configs": [{"lr": 0.1}], "repeats": 2}, "trial": {"seed": 7}},
            "trial.seed: all 2 repeats of a configuration would have the seed 7 (leave out trial.seed, or search.repeats)",
        ),
        ({"search": {"repeats": 2}}, "search.repeats: method auto takes no repeats (only list and grid do"),
        ({"search": {"configs": [{"lr": 1}]}}, "search.configs: method auto takes no configs"),
        ({"search": {"method": "list", "configs": [{"lr": 1}, {}]}, "space": {}}, "search.configs[1].lr: no value for lr"),
        ({"search": {"method": "list", "configs": [3]}}, "search.configs[0]: 3 is not keys and values"),
        ({"search": {"method": "list", "configs": 3}}, "search.configs: 3 is not a list"),
        ({"objective": {"metric": "a", "diverged_above": math.inf}}, "objective.diverged_above: inf is not a finite"),
        ({"objective": {"metric": "step"}}, "objective.metric: 'step' is a column of the records"),
        ({"budget": {"min_gain": 0.1}}, "budget.min_gain: min_gain does nothing without patience (budget.patience as well"),
        ({"budget": {"patience": 0}}, "budget.patience: 0 is out of range"),
        ({"budget": {"patience": 3, "min_gain": -1}}, "budget.min_gain: -1 is out of range"),
        ({"budget": {"target": "low"}}, "budget.target: 'low' is not a number"),
        ({"budget": {"target": 9}, "objective": {"metric": "a", "diverged_above": 5}}, "budget.target: a 9 counts as diverged"),
        ({"resources": {"gpu": -1}}, "resources.gpu: -1 is not a number of GPUs"),
        ({"name": 7}, 'name: 7 is not text (in quotes: "7")'),
        ({"name": "../up"}, "name: '../up' is not a valid name"),
        ({"space": 3}, "space: 3 is not keys and values"),
        ({"scheduler": "asha"}, "scheduler: 'asha' is not keys and values (its keys: method, variant, unit, grace_period"),
    ],
)  # fmt: skip
def test_mistakes(sections, expected):
    found = mistakes(**sections)
    assert any(expected in each for each in found), found


@pytest.mark.parametrize(
    "sections",
    [
        {"constraints": ["lr < 0.9 or momentum > 0.1"]},
        {"search": {"start": [{"lr": 1, "optimizer": "adam"}]}},
        {"search": {"method": "list", "configs": [{"a": 1, "b": "x"}, {"a": 1.0, "b": "y"}]}, "space": {}},
        {
            "search": {"method": "grid"},
            "space": {"a": {"int": [0, 10**12]}, "b": {"uniform": [0, 1], "step": 0.1}},
        },
        {"resources": {"gpu": 0.25, "memory": "512MiB"}, "trial": {"timeout": "1h30m"}},
        {"fixed": {"x": None, "y": [1, {"z": "w"}]}},
    ],
)
def test_what_is_fine_and_comes_back_the_same(sections):
    spec = parse_spec(written(**sections), base=Path())
    assert parse_spec(spec.to_plain(), base=Path()) == spec


def test_one_slip_is_told_once():
    space = {**SPACE, "lr": {"uniform": [1, 0]}}
    assert len(mistakes(space=space, constraints=["lr < 0.5"], search={"start": [{"lr": 0.1}]})) == 1


def test_start_points_are_kept_as_they_would_have_been_drawn():
    spec = parse_spec(written(search={"start": [{"optimizer": "adam", "lr": 1}]}), base=Path())
    assert repr(spec.search.start) == "[{'lr': 1.0, 'optimizer': 'adam'}]"


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"fixed": {"warm": "0.1*epochs"}}, "fixed.warm: '0.1*epochs' is a text, which is not computed"),
        ({"fixed": {"warm": "epochs // 10", "epochs": 9}}, "fixed.warm: 'epochs // 10' is a text"),
        ({"fixed": {"warm": "-lr"}}, "fixed.warm: '-lr' is a text"),
        ({"fixed": {"warm": "lr < 0.5"}}, "fixed.warm: 'lr < 0.5' is a text"),
        (
            {"space": {"lr": {"uniform": [0, 1]}, "warm": {"choice": [0.1, "lr / 10"]}}},
            "space.warm.choice[1]: 'lr / 10'",
        ),
        (
            {"fixed": {"lambda": 1}},
            "fixed.lambda: 'lambda' is a keyword of Python, which no condition can name (as in lambda_)",
        ),
        ({"space": {"class": {"int": [0, 1]}}}, "space.class: 'class' is a keyword"),
        ({"search": {"start": [{"if": 1}]}}, "search.start[0].if: 'if' is a keyword"),
        ({"fixed": {"\u00b5": 1}}, "has letters that Python replaces (U+00B5) (\u03bc)"),
        ({"space": {"\ufb01t": {"int": [0, 1]}}}, "(U+FB01) (fit)"),
        (
            {"resources": {"workers": 2, "gpu": "packed"}},
            "resources.gpu: 2 workers a trial cannot be measured together (auto, a whole number, or a fraction below 1",
        ),
        (
            {"resources": {"strict": True}},
            "resources.strict: strict does nothing with one worker (resources.workers: 2 or more)",
        ),
    ],
)
def test_what_could_not_be_used_later_is_refused_now(sections, expected):
    assert expected in "\n".join(mistakes(**sections))


def test_texts_that_compute_nothing_are_texts():
    fixed = {
        "model": "resnet-50",
        "data": "data/2024",
        "monitor": "lr",
        "day": "2026-01-01",
        "ratio": "16/9",
        "of": "a*b",
    }
    parse_spec(written(fixed=fixed, space={**SPACE, "norm": {"choice": ["l1", "l2-l1"]}}), base=Path())
    parse_spec(written(fixed={"μ": 1, "match": 2, "größe": 3, "重み": 4}), base=Path())


class TestCsv:
    def read(self, tmp_path, text, **sections):
        (tmp_path / "c.csv").write_text(text)
        sections = {"search": {"method": "list", "configs": "c.csv"}, **sections}
        return parse_spec(written(**sections), base=tmp_path)

    def test_rows_take_the_place_of_the_path(self, tmp_path):
        spec = self.read(tmp_path, "lr,optimizer,momentum\n1e-1,adam,\n\n.5,sgd,0.9\n")
        assert spec.search.configs == [
            {"lr": 0.1, "optimizer": "adam"},
            {"lr": 0.5, "optimizer": "sgd", "momentum": 0.9},
        ]
        assert parse_spec(spec.to_plain(), base=Path("/nowhere")) == spec

    def test_without_a_space_the_list_spans_one(self, tmp_path):
        spec = self.read(tmp_path, 'lr,wide,sizes,word\n1,true,"[1, 2]",x\n0.5,false,[3],y\n', space={})
        kinds = {name: each.kind for name, each in spec.parameter_space().parameters.items()}
        assert kinds == {"lr": "float", "wide": "bool", "sizes": "json", "word": "str"}

    @pytest.mark.parametrize("index", [True, False])
    def test_what_pandas_writes_comes_back(self, tmp_path, index):
        rows = [
            {"flag": True, "code": "001", "lr": 0.1, "width": 64, "sizes": [64, 64], "word": "2026-01-01"},
            {"flag": False, "code": "1_000", "lr": 1e-5, "width": 128, "sizes": ["a", None], "word": "1-2"},
        ]
        spec = self.read(tmp_path, pd.DataFrame(rows).to_csv(index=index), space={})
        assert [repr(dict(sorted(each.items()))) for each in spec.search.configs] == [
            repr(dict(sorted(each.items()))) for each in rows
        ]

    def test_whole_numbers_that_pandas_made_floats_are_whole_again(self, tmp_path):
        space = {"kind": {"choice": ["a", "b"]}, "n": {"int": [1, 9], "when": "kind == 'a'"}, "lr": {"uniform": [0, 1]}}
        frame = pd.DataFrame({"kind": ["a", "b", "a"], "n": [1, None, 9], "lr": [1, 0, 1]})
        assert "1.0" in frame.to_csv()
        spec = self.read(tmp_path, frame.to_csv(), space=space)
        assert repr([each.get("n") for each in spec.search.configs]) == "[1, None, 9]"
        assert repr([each["lr"] for each in spec.search.configs]) == "[1.0, 0.0, 1.0]"

    def test_a_column_without_a_name_that_is_no_index_is_a_mistake(self, tmp_path):
        with pytest.raises(SpecError, match="'' is not a valid parameter name"):
            self.read(tmp_path, ",lr\n5,0.1\n6,0.2\n", space={})

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            *((text, True) for text in ("true", "True", "TRUE")),
            *((text, text) for text in ("001", "1_000", "00.5", "1e", ".", "-", "yes", "nan", "٣", "(1)", "(a", "[a]")),
            (".5", 0.5),
            ("1.", 1.0),
            ("+1", 1.0),
            ("-0.5e-3", -0.5e-3),
            ("'a'", "'a'"),
            ("\"['a', (1, True)]\"", ["a", [1, True]]),
        ],
    )
    def test_a_cell_is_what_it_looks_like(self, tmp_path, cell, value):
        spec = self.read(tmp_path, f"x,y\n{cell},1\n", space={})
        assert repr(spec.search.configs[0]["x"]) == repr(value)

    def test_ten_thousand_rows_are_no_matter(self, tmp_path):
        rows = "\n".join(f"{index / 7},{index}" for index in range(10_000))
        assert len(self.read(tmp_path, f"lr,n\n{rows}\n", space=None).search.configs) == 10_000

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("lr,optimizer\n0.1,adam\n7,adam\n", "c.csv:3: search.configs[1].lr: 7 is not in the space"),
            ("lr,optimizer\n0.1,adam,9\n", "c.csv:2: search.configs[0]: 3 cells in a table of 2 columns"),
            ("lr,lr\n1,1\n", "two columns with the same name"),
            ("lr,optimizer\n", "method list has no configurations"),
            ("", "method list has no configurations"),
            ("lr,optimizer\nnan,adam\n", "c.csv:2: search.configs[0].lr: "),
            ('lr\n"open', "cannot read 'c.csv'"),
            ("lr,optimizer\n" + "[" * 5000 + ",adam\n", "c.csv:2: search.configs[0].lr: "),
        ],
    )
    def test_mistakes_have_the_files_line(self, tmp_path, text, expected):
        with pytest.raises(SpecError) as caught:
            self.read(tmp_path, text)
        assert expected in str(caught.value)

    def test_a_file_that_is_not_there(self, tmp_path):
        found = mistakes(tmp_path, search={"method": "list", "configs": "no.csv"})
        assert found == [
            f"search.configs: cannot read 'no.csv': No such file or directory (a CSV file, as a path from {tmp_path})"
        ]


class TestDeclaration:
    H = (
        hyperparameter("lr", float, 0.1, low=0, high=1),
        hyperparameter("optimizer", str, "sgd", choices=("sgd", "adam")),
        hyperparameter("momentum", float, 0.9, low=0),
        hyperparameter("epochs", int, 10, low=1),
        hyperparameter("fast", bool, False),
        hyperparameter("data", Path, ""),
        hyperparameter("sizes", list, None),
    )

    @pytest.mark.parametrize(
        ("sections", "expected"),
        [
            ({"fixed": {"epoch": 3}}, "fixed.epoch: t has no hyperparameter 'epoch' (did you mean 'epochs'?"),
            ({"space": {"lrr": {"int": [0, 1]}}}, "space.lrr: t has no hyperparameter 'lrr' (did you mean 'lr'?"),
            ({"fixed": {"epochs": 0}}, "fixed.epochs: 0 is out of range (epochs is at least 1)"),
            ({"fixed": {"epochs": "3"}}, "fixed.epochs: '3' is not an integer (what epochs means)"),
            ({"fixed": {"epochs": 3.0}}, "fixed.epochs: 3.0 is not an integer (write 3)"),
            ({"fixed": {"epochs": True}}, "fixed.epochs: True is not an integer"),
            ({"fixed": {"fast": 1}}, "fixed.fast: 1 is not true or false"),
            ({"fixed": {"sizes": 1}}, "fixed.sizes: 1 is not a list"),
            ({"fixed": {"data": "no.csv"}}, "fixed.data: there is no file or folder 'no.csv' (a path from "),
            ({"fixed": {"data": "\0" * 3}}, "fixed.data: there is no file or folder"),
            ({"fixed": {"data": "x" * 5000}}, "fixed.data: there is no file or folder"),
            ({"fixed": {"data": ""}}, "fixed.data: there is no file or folder ''"),
            ({"space": {"optimizer": {"choice": ["sgd", "adm"]}}}, "space.optimizer: optimizer cannot be 'adm' (did you mean 'adam'"),
            ({"space": {"optimizer": {"int": [0, 1]}}}, "space.optimizer: 0 is not text"),
            ({"space": {"optimizer": {"uniform": [0, 1]}}}, "space.optimizer: uniform draws numbers, optimizer takes text (choice: sgd, adam)"),
            ({"space": {"fast": {"int": [0, 1]}}}, "space.fast: int draws numbers, fast takes true or false"),
            ({"space": {"epochs": {"uniform": [1, 9]}}}, "space.epochs: uniform draws fractions, epochs takes an integer"),
            ({"space": {"epochs": {"int": [0, 9]}}}, "space.epochs: int reaches from 0 to 9 (epochs is at least 1)"),
            ({"space": {"lr": {"normal": [0, 1]}}}, "space.lr: normal has no bounds (lr is in [0, 1])"),
            ({"space": {"momentum": {"normal": [0, 1]}}}, "space.momentum: normal has no bounds (momentum is at least 0)"),
            ({"objective": {"metric": "vl_loss"}}, "objective.metric: t does not report 'vl_loss' (did you mean 'val_loss'"),
            ({"search": {"method": "list", "configs": [{"lrr": 1}]}, "space": {}}, "search.configs: t has no hyperparameter 'lrr'"),
        ],
    )  # fmt: skip
    def test_misfits(self, sections, expected):
        found = mistakes(resolve=declared(*self.H, metrics=("val_loss",)), **sections)
        assert any(each.startswith(expected) for each in found), found

    def test_fits(self, tmp_path):
        (tmp_path / "d.csv").touch()
        fixed = {"data": "d.csv", "epochs": 3, "sizes": [1], "fast": True}
        space = {**SPACE, "momentum": {"lognormal": [0, 1]}}
        assert mistakes(tmp_path, declared(*self.H), fixed=fixed, space=space) == []

    def test_what_is_required_must_be_there(self):
        assert "fixed: t needs a value for data (what data means)" in mistakes(resolve=lambda *_: TABULAR)

    def test_whoever_opts_out_is_not_checked(self):
        assert mistakes(resolve=lambda *_: None, fixed={"anything": 1}) == []


class TestScheduler:
    LENGTH = Declaration(hyperparameters=(hyperparameter("epochs", int, 10),), length="epochs")
    NO_LENGTH = Declaration(hyperparameters=())

    @pytest.mark.parametrize(
        ("sections", "declaration", "longest"),
        [
            ({"scheduler": {"max": 7}, "fixed": {"epochs": 9}}, LENGTH, 7),
            ({"fixed": {"epochs": 9}}, LENGTH, 9),
            ({"space": {"epochs": {"int": [1, 8]}}}, LENGTH, 8),
            ({"space": {"epochs": {"choice": [2, 6, 4]}}}, LENGTH, 6),
            ({}, LENGTH, 10),
            ({}, NO_LENGTH, None),
            ({"fixed": {"epochs": 9}}, NO_LENGTH, None),
            ({"fixed": {"epochs": 9}}, None, 9),
            ({"space": {"epochs": {"logint": [1, 8]}}}, None, 8),
            ({"space": {"epochs": {"normal": [5, 1]}}}, None, None),
            ({"space": {"epochs": {"choice": ["a", "b"]}}}, None, None),
            ({"fixed": {"epochs": "many"}}, None, None),
            ({}, None, None),
        ],
    )
    def test_the_longest_training(self, sections, declaration, longest):
        spec = parse_spec(written(**sections), base=Path())
        assert max_step(spec, declaration) == longest

    def test_asha_has_to_know_the_length(self):
        found = mistakes(resolve=lambda *_: None, scheduler={"method": "asha"})
        assert found == [
            "scheduler: asha does not know how long a full training is "
            "(scheduler.max: the last step; or a value for epochs)"
        ]

    def test_the_grace_period_is_shorter_than_the_training(self):
        found = mistakes(resolve=lambda *_: None, scheduler={"max": 4, "grace_period": 4})
        assert found == ["scheduler.grace_period: grace_period 4 leaves no step to stop at: a training has 4 (below 4)"]


class TestRungsInSeconds:
    @pytest.mark.parametrize(
        ("scheduler", "trial", "expected"),
        [
            ({"grace_period": 60, "max": 3600}, {}, (60, 3600)),
            ({"grace_period": "1m", "max": "1h"}, {}, (60, 3600)),
            ({"grace_period": "90s"}, {"max_time": "1h30m"}, (90, 5400)),
            ({"grace_period": "90s", "max": 4000}, {"max_time": 3000}, (90, 3000)),
            ({"grace_period": "90s", "max": 2000}, {"max_time": 3000}, (90, 2000)),
            ({"max": 2700}, {"max_time": 999.5}, (37, 1000)),  # a 27th, and whole seconds
        ],
    )
    def test_where_they_are(self, scheduler, trial, expected):
        spec = parse_spec(
            written(scheduler={"unit": "seconds", "method": "asha", **scheduler}, trial=trial), base=Path()
        )
        found = ladder(spec, None)
        assert found is not None
        assert (found.unit, found.grace_period, found.max_step) == ("seconds", *expected)
        assert parse_spec(spec.to_plain(), base=Path()) == spec

    def test_a_length_in_steps_is_another_matter(self):
        spec = parse_spec(written(scheduler={"unit": "seconds", "max": 3600}, fixed={"epochs": 9}), base=Path())
        assert (max_step(spec, None), max_seconds(spec), max_rung(spec, None)) == (9, 3600, 3600)
        spec = parse_spec(written(fixed={"epochs": 9}, trial={"max_time": "1m"}), base=Path())
        assert (max_step(spec, None), max_seconds(spec), max_rung(spec, None)) == (9, 60, 9)

    @pytest.mark.parametrize(
        ("scheduler", "expected"),
        [
            (
                {},
                "scheduler: auto does not know how many seconds a full training takes (scheduler.max: the seconds, as",
            ),
            (
                {"grace_period": 30, "max": "30s"},
                "scheduler.grace_period: grace_period 30 s leaves no time to stop at: a",
            ),
            ({"grace_period": 1.5, "max": 9}, "scheduler.grace_period: 1.5 is not an integer"),
            (
                {"grace_period": "1.5s", "max": 9},
                "scheduler.grace_period: '1.5s' is not a whole number of seconds (as in",
            ),
            ({"max": "soon"}, "scheduler.max: 'soon' is not a duration (as in 90s"),
            ({"max": 0}, "scheduler.max: "),
            ({"method": "none", "max": 9}, "scheduler.unit: method none takes no unit (it takes max)"),
            ({"unit": "hours", "max": 9}, "scheduler.unit: unknown value 'hours' (one of: steps, seconds"),
            ({"unit": "steps", "max": "1h"}, "scheduler.max: '1h' is not a step (a whole number; or a duration, with"),
            ({"unit": None, "max": "1h"}, "scheduler.max: '1h' is not a step (a whole number; or a duration, with"),
        ],
    )
    def test_mistakes(self, scheduler, expected):
        found = mistakes(resolve=lambda *_: None, fixed={"epochs": 9}, scheduler={"unit": "seconds", **scheduler})
        assert any(each.startswith(expected) for each in found), found


class TestKeysOfASchedulerMethod:
    @pytest.mark.parametrize(
        ("scheduler", "key", "words"),
        [
            ({"method": "none", "grace_period": 2}, "grace_period", "method none takes no grace_period (it takes max)"),
            (
                {"method": "median", "reduction_factor": 4},
                "reduction_factor",
                "method median takes no reduction_factor",
            ),
            ({"method": "pasha", "variant": "stop"}, "variant", "method pasha takes no variant"),
            ({"method": "hyperband", "brackets": 2}, "brackets", "method hyperband takes no brackets"),
            ({"method": "asha", "top": 2}, "top", "method asha takes no top"),
            ({"method": "none", "audit": 0.1}, "audit", "method none takes no audit"),
        ],
    )
    def test_a_key_that_does_nothing_is_a_mistake(self, scheduler, key, words):
        (found,) = mistakes(resolve=lambda *_: None, scheduler={"max": 30, **scheduler})
        assert found.startswith(f"scheduler.{key}: {words}")

    def test_what_earlier_versions_saved_is_none(self):
        saved = {"method": "none", "reduction_factor": 3, "brackets": 1}
        assert mistakes(resolve=lambda *_: None, scheduler=saved) == []

    def test_auto_needs_a_length_only_for_its_keys(self):
        assert mistakes(resolve=lambda *_: None, scheduler={"method": "auto"}) == []
        (found,) = mistakes(resolve=lambda *_: None, scheduler={"grace_period": 3})
        assert found.startswith("scheduler: auto does not know how long a full training is")

    def test_top_after_needs_a_number_of_trials(self):
        scheduler = {"method": "top_after", "max": 9}
        (found,) = mistakes(resolve=lambda *_: None, scheduler=scheduler, budget={"hours": 1})
        assert found.startswith("scheduler.method: top_after trains the best to their end when no new trials come")
        assert mistakes(resolve=lambda *_: None, scheduler=scheduler, budget={"hours": 1, "trials": 9}) == []


class Activation(StrEnum):
    RELU = "relu"


class Level(IntEnum):
    ONE = 1


class TestValuesOfPythonPrograms:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (np.logspace(-2, -1, 2), (0.01, 0.1)),
            (list(np.logspace(-2, -1, 2)), (0.01, 0.1)),
            (np.arange(16, 48, 16), (16, 32)),
            (list(np.array(["relu", "tanh"])), ("relu", "tanh")),
            ([np.bool_(True), False], (True, False)),
            ([np.float32(0.5), np.int8(2)], (0.5, 2.0)),
            (np.array([[1, 2], [3, 4]]), ([1, 2], [3, 4])),
            ([np.array(1.5), np.array([2])], (1.5, [2])),
            (torch.tensor([1.0, 2.0]), (1.0, 2.0)),
            ([torch.tensor(3), torch.tensor([True])], (3, [True])),
            (pd.Series(["a", "b"]), ("a", "b")),
            (pd.Index([1, 2]), (1, 2)),
            (range(2), (0, 1)),
            ((Activation.RELU, Level.ONE), ("relu", 1)),
            ([Path("a/b"), "c"], ("a/b", "c")),
        ],
        ids=repr,
    )
    def test_become_pythons_own(self, options, expected):
        spec = parse_spec(written(space={"x": {"choice": options}}, fixed={"k": options}, constraints=[]), base=Path())
        assert repr(spec.space["x"].options) == repr(expected)
        assert repr(spec.fixed["k"]) == repr(list(expected)) or isinstance(expected[0], float)
        assert parse_spec(spec.to_plain(), base=Path()) == spec

    def test_wherever_they_are(self):
        spec = parse_spec(
            written(
                space={"x": {"uniform": np.array([0, 1]), "prior": np.float64(0.5)}, "n": {"int": [np.int64(1), 4]}},
                fixed={"nested": {np.str_("a"): [np.int16(3)]}},
                constraints=[],
                search={"start": [{"x": np.float32(0.5), "n": np.uint8(2)}], "seed": np.int64(3)},
                budget={"trials": np.int64(7), "hours": np.float64(0.5)},
            ),
            base=Path(),
        )
        assert (spec.budget.trials, spec.search.seed, spec.fixed) == (7, 3, {"nested.a": [3]})
        assert repr(spec.search.start) == "[{'x': 0.5, 'n': 2}]"

    @pytest.mark.parametrize("value", [torch.nn.ReLU, np.float32, object(), {1}, np.datetime64("2026-01-01"), 1j])
    def test_what_specs_have_not_is_refused(self, value):
        with pytest.raises(SpecError, match=r"fixed.k: .* cannot be recorded exactly"):
            parse_spec(written(fixed={"k": value}), base=Path())
