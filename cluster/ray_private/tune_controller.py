"""What is asked of Ray Tune's controller beyond its documented hooks, and the callback that keeps it silent."""

from __future__ import annotations

from typing import Any

from ray.tune import Callback

from cluster.ray_private.names import ENDED_TRIALS, SILENCE, STOPPING_TRIALS


def check_controller() -> None:
    """Refuse a Ray Tune in which a failed trial could not be kept from being run again.

    Raises:
        UnsupportedRayError: This is one.
    """
    STOPPING_TRIALS.require()


def stop(controller: Any, trial: Any) -> None:
    """Stop a trial that Ray Tune has failed or put up to be run again, as Ray's own schedulers do."""
    controller.stop_trial(trial)


def forget(controller: Any, trial: Any) -> None:
    """Take an ended trial out of the list that Ray Tune scans at every step, if it can be taken out."""
    if ENDED_TRIALS.find() is not None:
        trials = controller.get_trials()  # the list itself, in Ray 2.60
        if trial in trials:
            trials.remove(trial)


def _callback() -> Any:
    """Ray Tune adds a callback that prints a line at every trial's end, unless it is given one of the same class."""
    found = SILENCE.find()
    return found[0] if found is not None else Callback


class SilentCallback(_callback()):  # type: ignore[misc]
    """Stands in for the callback that Ray Tune would add to print, and prints nothing."""

    def __init__(self) -> None:
        """Without what the printing callback needs."""

    def on_trial_result(self, *_: Any, **__: Any) -> None:
        """Print nothing."""

    def on_trial_error(self, *_: Any, **__: Any) -> None:
        """Print nothing."""

    def on_trial_complete(self, *_: Any, **__: Any) -> None:
        """Print nothing."""
