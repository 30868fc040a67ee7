"""The parts of the default search: features of configurations, the process, the risk of a failure."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.core.search import Outcome
from orchestrator.core.search.auto.credit import Credit
from orchestrator.core.search.auto.encoding import Encoding
from orchestrator.core.search.auto.evidence import Evidence
from orchestrator.core.search.auto.process import Process
from orchestrator.core.search.auto.risk import Risk
from tests.core.auto.test_method import MIXED, space_of, told

LINE = {"x": {"uniform": [0, 1]}}


ADAM = {"lr": 1e-3, "width": 128, "dropout": 0.2, "optimizer": "adam"}
SGD = {**ADAM, "optimizer": "sgd", "momentum": 0.9}


class TestEncoding:
    encoding = Encoding(space_of(MIXED))

    def test_a_point_leads_back_to_its_configuration(self) -> None:
        for config in (SGD, ADAM):
            assert self.encoding.config(self.encoding.point(config)) == pytest.approx(config)

    def test_any_two_options_are_equally_far_apart(self) -> None:
        encoding = Encoding(space_of({"c": {"choice": ["a", "b", "d"]}}))
        features = encoding.features(np.array([[0.1], [0.5], [0.9]]))
        apart = [float(np.linalg.norm(features[i] - features[j])) for i, j in ((0, 1), (0, 2), (1, 2))]
        assert apart == pytest.approx([1, 1, 1])

    def test_what_is_not_active_makes_no_difference(self) -> None:
        points = np.array([self.encoding.point(ADAM)] * 2)
        points[:, 4] = 0.1, 0.9  # momentum, which adam has not
        first, second = self.encoding.features(points)
        assert np.array_equal(first, second)

    def test_values_that_are_the_same_have_the_same_features(self) -> None:
        encoding = Encoding(space_of({"layers": {"int": [1, 4]}}))
        features = encoding.features(np.array([[0.01], [0.2], [0.3]]))
        assert features[0] == features[1] != features[2]


class TestProcess:
    rng = np.random.default_rng(0)
    features = rng.random((40, 3))
    levels = rng.choice([0.2, 0.6, 1.0], 40)
    targets = np.sin(3 * features[:, 0]) + levels * features[:, 1]
    targets = (targets - targets.mean()) / targets.std()
    groups = np.arange(3)

    def test_the_gradient_of_the_likelihood_is_its_gradient(self) -> None:
        process = Process(self.groups)
        gaps = np.array([(self.features[:, None, c] - self.features[None, :, c]) ** 2 for c in range(3)])
        apart = (self.levels[:, None] - self.levels) ** 2
        line = 4 * (1 + np.outer(self.levels, self.levels))
        theta = process.theta + self.rng.normal(size=len(process.theta)) * 0.2
        _, gradient = process._loss(theta, gaps, apart, line, self.targets)
        for at in range(len(theta)):
            step = np.zeros_like(theta)
            step[at] = 1e-5
            up, _ = process._loss(theta + step, gaps, apart, line, self.targets)
            down, _ = process._loss(theta - step, gaps, apart, line, self.targets)
            assert gradient[at] == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-4)

    def test_it_predicts_what_it_has_not_seen_and_ignores_what_does_not_matter(self) -> None:
        process = Process(self.groups)
        process.fit(self.features[:30], self.levels[:30], self.targets[:30])
        posterior = process.given(self.features[:30], self.levels[:30], self.targets[:30])
        mean, deviation = posterior.predict(self.features[30:], self.levels[30:])
        assert np.abs(mean - self.targets[30:]).mean() < 0.25
        assert (np.abs(mean - self.targets[30:]) < 3 * deviation + 0.1).all()
        assert process.theta[2] > max(process.theta[:2])  # the length scale of the third, which does nothing

    def test_what_is_believed_lowers_the_deviation_there(self) -> None:
        process = Process(self.groups)
        posterior = process.given(self.features[:5], self.levels[:5], self.targets[:5])
        place = np.array([[0.9, 0.1, 0.9]])
        before = posterior.predict(place, np.ones(1))
        after = posterior.believing(place).predict(place, np.ones(1))
        assert after[0] == pytest.approx(before[0], abs=0.05)
        assert after[1] < before[1] / 2


def evidence_of(outcomes: dict[float, Outcome]) -> Evidence:
    evidence = Evidence(encoding=Encoding(space_of(LINE)), sign=1.0)
    for number, (x, outcome) in enumerate(outcomes.items()):
        evidence.tell(told(number, {"x": x}, None if outcome is Outcome.FAILED else x, outcome))
    return evidence


class TestRisk:
    def test_it_finds_the_side_that_fails(self) -> None:
        evidence = evidence_of({x / 20: Outcome.FAILED if x > 12 else Outcome.COMPLETED for x in range(20)})
        low, high = Risk(evidence).of(np.array([[0.2], [0.95]]))
        assert low < 0.1
        assert high > 0.8

    def test_without_a_failure_there_is_none(self) -> None:
        risk = Risk(evidence_of({0.1: Outcome.COMPLETED, 0.9: Outcome.RUNG}))
        assert not risk.known
        assert risk.of(np.array([[0.5]])).tolist() == [0.0]

    def test_a_failure_that_was_not_the_trials_fault_is_taken_back(self) -> None:
        evidence = evidence_of({0.1: Outcome.FAILED})
        evidence.start(0, {"x": 0.1})
        assert not Risk(evidence).known


def test_credit_goes_to_who_finds_something_but_nobody_is_shut_out() -> None:
    evidence = evidence_of({x / 40: Outcome.COMPLETED for x in range(40)})  # a low x is a low loss
    credit = Credit({"good": 0.5, "bad": 0.5})
    for number in range(40):
        credit.count("good" if number < 20 else "bad", number)
    good, bad = credit.shares(evidence)
    assert good > 0.75
    assert bad > 0.05
    assert Credit({"good": 0.25, "bad": 0.75}).shares(evidence) == [0.25, 0.75]
