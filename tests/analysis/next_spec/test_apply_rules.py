"""Whatever was searched, with whatever results: the next spec is valid, and the user's own except for changes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.analysis.compare.importance import Weight
from orchestrator.analysis.diagnosis.findings.search_space import at_bounds
from orchestrator.analysis.next_spec.apply_rules import RevisedSpec, apply_rules
from orchestrator.analysis.next_spec.prior_results import PriorResults
from orchestrator.analysis.next_spec.spec_change import PlainSpec
from orchestrator.analysis.next_spec.spec_text import MARK, render_spec
from orchestrator.analysis.summary.results import SweepResults
from orchestrator.core.rows import Config
from orchestrator.errors import SpecError
from orchestrator.spec import Spec, parse_spec, read_spec
from orchestrator.spec.writing import spec_yaml
from tests.analysis.results import results
from tests.space.spaces import specs
from tests.spec.churn_example import EXAMPLE


def is_valid(plain: PlainSpec) -> bool:
    try:
        parse_spec(plain, base=Path())
    except SpecError:
        return False
    return True


def sloped(spec: Spec, rng: random.Random) -> SweepResults:
    """A sweep over the spec's space in which the best lie at bounds, in the middle, and anywhere."""
    targets = {name: rng.choice([0.0, 0.5, 1.0, None]) for name in spec.space}

    def result(config: Config, noise: random.Random) -> float:
        off = [
            abs(spec.space[name].to_unit(value) - target)
            for name, value in config.items()
            if (target := targets[name]) is not None
        ]
        return float("inf") if noise.random() < 0.1 else sum(off) + noise.gauss(0, 0.05)

    plain = spec.to_plain()
    trials = rng.choice([5, 15, 60, 160])
    return results(plain["space"], result, trials=trials, method=spec.search.method, seed=rng.randrange(10**6))


def proposed(spec: Spec, rng: random.Random) -> tuple[PriorResults, RevisedSpec]:
    found = sloped(spec, rng)
    highs = {name: rng.choice([0.01, 0.05, 0.5]) for name in spec.space if rng.random() < 0.8}
    weights = {name: Weight(name=name, share=high / 2, low=0, high=high, trials=60) for name, high in highs.items()}
    prior = PriorResults(
        sweep="churn",
        results=found,
        trials=spec.budget.trials or len(found.trials),
        weights=weights,
        bounds={each.parameter: each for each in at_bounds(found)},
    )
    return prior, apply_rules(prior, spec.to_plain(), is_valid)


def read(path: Path, text: str) -> Spec:
    path.write_text(text)
    return read_spec(path)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(data=specs(), seed=st.integers(0, 10**6))
def test_it_passes_the_check_and_says_what_was_meant(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any], seed: int
) -> None:
    spec = parse_spec(data, base=Path())
    points = [spec.parameter_space().sample(random.Random(number)) for number in range(seed % 4)]
    spec = spec.model_copy(update={"search": spec.search.model_copy(update={"start": points})})
    prior, proposal = proposed(spec, random.Random(seed))
    plain = {**proposal.plain, "name": "churn-next", "parent": "churn"}
    text = render_spec(spec_yaml(spec), plain, proposal.changes, head="from churn", base=Path())
    after = read(tmp_path_factory.getbasetemp() / "next.yaml", text)
    assert after.to_plain() == plain
    for change in proposal.changes:
        assert " ".join(change.reason.split()) in text
    space = after.parameter_space()
    for config in after.search.start:
        assert space.mistakes_in(config) == []
    unchanged = ("trainable", "objective", "budget", "scheduler", "resources", "trial")
    assert [getattr(after, key) for key in unchanged] == [getattr(spec, key) for key in unchanged]
    best = prior.ranked[0].config if prior.ranked else {}
    for name, value in best.items():
        if name in after.space and prior.space[name].numeric is not None:
            low, high = after.space[name].extent or (0, 0)
            assert low <= value <= high  # the best is never cut off


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20)
def test_in_what_a_user_wrote_only_lines_that_say_something_else_change(seed: int) -> None:
    spec = parse_spec_text(EXAMPLE)
    _, proposal = proposed(spec, random.Random(seed))
    plain = {**proposal.plain, "name": "churn-next", "parent": "churn"}
    text = render_spec(EXAMPLE, plain, proposal.changes, head="from churn", base=Path())
    assert parse_spec_text(text).to_plain() == plain
    changed = {key for change in proposal.changes for key in change.edits}
    for line in EXAMPLE.splitlines():
        key = line.strip().partition(":")[0]
        kept = key not in ("name", "search") and not any(key == name for _, name in (k for k in changed if len(k) == 2))
        assert not kept or ("constraints",) in changed or line in text.splitlines(), line


def test_the_next_after_the_next_has_only_its_own_reasons() -> None:
    spec, text = parse_spec_text(EXAMPLE), EXAMPLE
    for generation in range(3):
        _, proposal = proposed(spec, random.Random(generation))
        plain = {**proposal.plain, "name": f"churn-next-{generation}", "parent": "churn"}
        text = render_spec(text, plain, proposal.changes, head="from churn", base=Path())
        spec = parse_spec_text(text)
        reasons = [change for change in proposal.changes if change.at is not None]
        assert text.count("was ") == sum(change.reason.count("was ") for change in reasons)
        assert sum(line.startswith(MARK) for line in text.splitlines()) == 1 + len(proposal.changes) - len(reasons)
    assert "# a built-in, module:attr, or file.py:attr" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not: [yaml",
        '{"trainable": "tabular", "space": {"lr": {"loguniform": [1e-4, 1e-1]}}, "objective": {"metric": "loss"}}',
        "trainable: tabular\nspace: &s\n  lr: &lr {loguniform: [1e-4, 1e-1]}\n  b: *lr\nobjective: {metric: loss}\n",
    ],
)
def test_a_text_that_cannot_be_edited_is_written_anew(text: str, tmp_path: Path) -> None:
    data = {"trainable": "tabular", "space": {"lr": {"loguniform": [1e-4, 1e-1]}}, "objective": {"metric": "loss"}}
    if "&lr" in text:
        data["space"]["b"] = {"loguniform": [1e-4, 1e-1]}
    spec = parse_spec(data, base=Path())
    prior = results(data["space"], lambda config, rng: abs(config["lr"] - 1e-2), trials=60, method="tpe")
    proposal = apply_rules(PriorResults(sweep="churn", results=prior, trials=60), spec.to_plain(), is_valid)
    plain = {**proposal.plain, "name": "churn-next", "parent": "churn"}
    written = render_spec(text, plain, proposal.changes, head="from churn", base=Path())
    assert read(tmp_path / "next.yaml", written).to_plain() == plain
    assert "  # was [0.0001, 0.1]: the best 9 trials lie in" in written


def test_what_has_lost_its_sense_goes_and_the_head_says_so() -> None:
    own = '  - "layers * width <= 512"\n'
    text = EXAMPLE.replace(own, f'{own}  - "momentum < 0.95"\n')
    spec = parse_spec_text(text)
    prior = results(spec.to_plain()["space"], lambda c, rng: (c["optimizer"] == "sgd") + rng.random(), trials=90)
    proposal = apply_rules(PriorResults(sweep="churn", results=prior, trials=90), spec.to_plain(), is_valid)
    written = render_spec(text, proposal.plain, proposal.changes, head="from churn", base=Path())
    assert written.startswith(
        f"{MARK}from churn\n{MARK}removed momentum: \"optimizer == 'sgd'\" never holds any more\n"
        "# How a spec should feel"
    )
    assert "  optimizer: {choice: [adam, adamw]}  # was also sgd: none of the " in written
    assert f"{own}objective" in written.replace("  # removed the constraint 'momentum < 0.95'", "")
    assert "momentum" not in written.replace("removed momentum", "").replace("'momentum < 0.95'", "")


def test_start_points_of_before_do_not_hold_a_range_open() -> None:
    spec = parse_spec(
        {
            "trainable": "mine:train",
            "space": {"lr": {"loguniform": [1e-6, 1]}},
            "objective": {"metric": "loss"},
            "search": {"start": [{"lr": 1e-6}, {"lr": 1.0}]},
        },
        base=Path(),
    )
    prior = results(spec.to_plain()["space"], lambda config, rng: abs(config["lr"] - 1e-3))
    proposal = apply_rules(PriorResults(sweep="churn", results=prior, trials=60), spec.to_plain(), is_valid)
    low, high = proposal.plain["space"]["lr"]["loguniform"]
    assert 1e-5 < low < high < 1e-1
    assert proposal.changes[-1].reason.startswith("was 2 others: the best of churn, ")


def test_overrides_at_the_launch_are_kept() -> None:
    spec = parse_spec_text(EXAMPLE)
    launched = spec.model_copy(
        update={"budget": spec.budget.model_copy(update={"trials": 200, "hours": None}), "constraints": []}
    )
    _, proposal = proposed(launched, random.Random(1))
    text = render_spec(EXAMPLE, proposal.plain, proposal.changes, head="from churn", base=Path())
    assert "budget: {trials: 200}                              # gpu_hours" in text
    assert "constraints" not in text


def parse_spec_text(text: str) -> Spec:
    from orchestrator.yaml.reader import from_yaml

    document = from_yaml(text, "spec.yaml")
    assert not document.mistakes
    return parse_spec(document.data, base=Path())
