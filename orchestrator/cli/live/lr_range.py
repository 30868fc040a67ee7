"""`sweep try --lr-range`: the learning-rate range test of a supervised trainable, in this process."""

from __future__ import annotations

from typing import Any

from orchestrator.cli import json_output
from orchestrator.cli.formats import say, tell
from orchestrator.cli.live.try_run import TrialRun, first_trial
from orchestrator.cli.views.loss_chart import loss_chart
from orchestrator.cli.views.text import config_line
from orchestrator.errors import UserError
from orchestrator.formatting import duration
from orchestrator.spec.source import Source
from trainables.supervised.lr_range import LearningRates, RangeTest, instead_of_training, reading, smooth

RATE = "lr"
"""The hyperparameter that the recipe calls the learning rate."""


def find_learning_rates(found: Source, given: str | None, *, as_json: bool = False) -> None:
    """Train the default configuration with a growing learning rate, and print which range is worth searching.

    Args:
        found: The spec.
        given: YAML of values that replace sampled ones.
        as_json: Print a document.

    Raises:
        UserError: The trainable does not train with ``trainables.supervised.fit``.
        SpecError: The given values are not in the space.
        SweepError: The trial failed.
    """
    sweep, start = first_trial(found, given, default=True)
    say(f"trial 0: {config_line({**start.config, RATE: '…'})}")
    trial_run = TrialRun(sweep, 1, print_reports=False)
    with instead_of_training() as test:
        trial_run.run(found, start)
    trial_run.check()
    if not test.rates:
        raise UserError(
            f"--lr-range needs a trainable that trains with trainables.supervised.fit; {found.spec.trained} does not"
        )
    rates = reading(test)
    if as_json:
        json_output.document(_document(test, rates))
        return
    losses = smooth(test.losses)
    if len(losses) > 1:
        marked = None if rates is None else (rates.low, rates.high)
        tell(loss_chart(test.rates[: len(losses)], losses, marked=marked))
    tell(_in_words(test, rates, trial_run.seconds))


def _document(test: RangeTest, rates: LearningRates | None) -> dict[str, Any]:
    suggested = None if rates is None else {"low": rates.low, "high": rates.high, "rises": rates.rises}
    curve = [{"lr": rate, "loss": loss} for rate, loss in zip(test.rates, test.losses, strict=True)]
    return {"suggested": suggested, "batch_size": test.batch_size, "optimizer": test.optimizer, "curve": curve}


def _in_words(test: RangeTest, rates: LearningRates | None, seconds: float) -> str:
    rests_on = (
        f"{len(test.rates)} updates of {test.optimizer} with {test.batch_size} examples each, in {duration(seconds)};"
        f" the rate grew from {test.rates[0]:.0e} to {test.rates[-1]:.2g}"
    )
    if rates is None:
        return f"no learning rate lowered the training loss by more than its noise ({rests_on})"
    falls = f"between learning rates of {rates.low:g} and {rates.high:g}, and rises above"
    if not rates.rises:
        falls = f"from a learning rate of {rates.low:g} on, and has not risen at {test.rates[-1]:g}"
    return (
        f"the training loss falls {falls}\n"
        f"({rests_on})\n\n"
        f"space:\n  {RATE}: {{loguniform: [{rates.low:g}, {rates.high:g}]}}"
    )
