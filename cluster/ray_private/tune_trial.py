"""A Ray Tune trial without what costs time and nobody reads: with it, a trial takes Ray Tune half as long.

For each trial, Ray Tune asks the cluster's key-value store for the trainable three times, and the worker twice for
facts about itself, before the worker may train; it makes two directories and sends their paths along; it keeps the
trial's last result with statistics of each number in it, and writes all of that down at the end. A sweep's own records
have what counts. And each worker imports Ray Tune, which takes it a second and 110 MB, for a class to inherit from and
for what is sent along with a configuration. Where the installed Ray does not allow light trials, Ray Tune's own trials
serve.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig, PlacementGroupFactory
from ray.tune.experiment import Experiment
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search import Searcher, SearchGenerator

from cluster.ray_private.names import LIGHT_TRIALS
from cluster.ray_private.tune_worker import TuneWorker, as_trainable

Resources = Callable[[Mapping[str, Any]], PlacementGroupFactory]
"""What a trial occupies, given its configuration."""

NO_STATE = ("{}", "{}")  # of a trial and of its run, as JSON


@dataclass(frozen=True, kw_only=True)
class NoStorage:
    """Stands in for Ray Tune's storage, in which trials keep nothing; false, as Ray Tune's missing storage is.

    A worker gets False itself: this package may not be there.
    """

    trial_dir_name: str = "none"
    experiment_dir_name: str = "none"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> tuple[type[bool], tuple[()]]:
        return bool, ()


NO_STORAGE = NoStorage()


class TravellingAlone(dict[str, Any]):
    """A configuration without what Ray Tune adds to it: to read that, a worker would have to import Ray Tune."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._own = tuple(config)

    def __deepcopy__(self, memo: dict[int, Any]) -> TravellingAlone:
        """Ray Tune copies the configuration and adds to the copy."""
        return TravellingAlone(deepcopy(dict(self), memo))

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """Arrive as a plain dict."""
        return dict, ({name: self[name] for name in self._own},)


@dataclass(frozen=True, kw_only=True)
class SharedTrialSettings:
    """What all trials of a run have in common.

    Attributes:
        worker: The class of the actor that runs trials.
        spec: What the experiment says of its trials.
    """

    worker: type
    spec: Mapping[str, Any]


class LightTrial(TuneTrial):
    """One trial of Ray Tune.

    Attributes:
        error: The error by which Ray reported the last failure.
    """

    error: Exception | None = None

    def __init__(
        self, common: SharedTrialSettings, config: dict[str, Any], trial_id: str, resources: PlacementGroupFactory
    ) -> None:
        self._worker = common.worker
        super().__init__(
            common.spec["run"],
            config=TravellingAlone(config),
            trial_id=trial_id,
            storage=common.spec["storage"],
            placement_group_factory=resources,
            checkpoint_config=common.spec["checkpoint_config"],
            trial_name_creator=lambda trial: trial.trial_id,  # Ray's default names grow with the configuration
            trial_dirname_creator=lambda trial: trial.trial_id,
            max_failures=-1,
            stub=True,  # the trainable is not looked up
        )
        self.placement_group_factory = resources
        self.storage = NO_STORAGE

    def init_local_path(self) -> None:
        """Make no directory."""

    @property
    def local_path(self) -> None:
        """No directory."""

    @property
    def path(self) -> None:
        """No directory."""

    def handle_error(self, exc: Exception | None = None) -> None:
        """Keep the error, which Ray Tune would write into a file and not tell its hooks."""
        self.error = exc
        super().handle_error(exc)

    def create_placement_group_factory(self) -> None:
        """The resources are known from the start."""

    def get_trainable_cls(self) -> type:
        """The class of the actor: the worker itself, without a Trainable around it."""
        return self._worker

    def set_ray_actor(self, ray_actor: Any) -> None:
        """Keep the worker, without asking where it runs: its results say so."""
        self.temporary_state.ray_actor = ray_actor

    def update_last_result(self, result: dict[str, Any]) -> None:
        """Keep no result: the scheduler's hook has it."""

    @property
    def last_result(self) -> dict[str, Any]:
        """Empty: Ray Tune passes it to hooks that do not read it, when a trial ends."""
        return {}

    def get_json_state(self) -> tuple[str, str]:
        """Empty: Ray Tune writes the state at the end of a run, and nobody reads it."""
        return NO_STATE


class LightTrialGenerator(SearchGenerator):
    """Makes light trials of a Searcher's suggestions, neither copying nor parsing the experiment for each."""

    def __init__(self, searcher: Searcher, worker: type[TuneWorker], resources: Resources) -> None:
        super().__init__(searcher)
        self._worker = worker
        self._resources = resources
        self._over = False

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        """Ray Tune pickles a run's parts in order to restore the run, which never happens here."""
        return object, ()

    def add_configurations(self, experiments: Any) -> None:
        """Called once, before the first trial."""
        super().add_configurations(experiments)
        experiment = experiments if isinstance(experiments, Experiment) else experiments[0]
        self._common = SharedTrialSettings(worker=self._worker, spec=experiment.spec)

    def next_trial(self) -> TuneTrial | None:
        """Ask the Searcher; None if no trial is to start now."""
        trial_id = TuneTrial.generate_id()
        config = None if self._over else self.searcher.suggest(trial_id)
        if config == Searcher.FINISHED:
            self._over = True
        if config is None or self._over:
            return None
        return LightTrial(self._common, config, trial_id, self._resources(config))

    def is_finished(self) -> bool:
        """Whether the Searcher has nothing more to suggest."""
        return self._over


def end_now(trial: TuneTrial) -> Any | None:
    """Have its worker end a trial that was decided to stop, which Ray Tune asks for only when it needs the worker.

    Returns:
        What the worker answers once the trial has ended; None if it cannot be asked.
    """
    if not isinstance(trial, LightTrial) or trial.temporary_state.ray_actor is None:
        return None
    return trial.temporary_state.ray_actor.end.remote()


def error_of(trial: TuneTrial) -> Exception | None:
    """The error by which Ray reported a trial's last failure; None if there was none, or Ray Tune does not tell."""
    return getattr(trial, "error", None)


def trainable_and_search(worker: type[TuneWorker], searcher: Searcher, resources: Resources) -> tuple[Any, Any]:
    """What Ray Tune is to be given as trainable and ``search_alg``.

    Args:
        worker: The class of the actor that runs trials.
        searcher: Suggests the configurations.
        resources: Says what each trial occupies. Ray Tune may pickle it.
    """
    trainable = as_trainable(worker)  # Ray Tune wants one in any case
    if light_trials_fit():
        return trainable, LightTrialGenerator(searcher, worker, resources)
    return tune.with_resources(trainable, resources), searcher


def light_trials_fit() -> bool:
    """Whether the installed Ray Tune makes and uses a trial as light trials expect; tries one out."""
    found = LIGHT_TRIALS.find()
    if found is None:
        return False
    arguments_of, *_ = found
    spec: dict[str, Any] = {"run": "worker", "storage": None, "checkpoint_config": CheckpointConfig()}
    settings = SharedTrialSettings(worker=object, spec=spec)
    try:
        trial = LightTrial(settings, {}, "id", PlacementGroupFactory([{"CPU": 1}]))
        trial.set_ray_actor(None)
        started_alike = set(arguments_of(trial)) == {"config", "storage"}  # those of the worker's __init__
        return (
            started_alike and trial.temporary_state.ray_actor is None and all(map(_overridden_alike, vars(LightTrial)))
        )
    except (AttributeError, TypeError):
        return False


def _overridden_alike(name: str) -> bool:
    """Whether a member of LightTrial that overrides one of Ray Tune's is called as that is."""
    ours, theirs = inspect.getattr_static(LightTrial, name), inspect.getattr_static(TuneTrial, name, None)
    if name.startswith("__") or not (inspect.isfunction(ours) or isinstance(ours, property)):
        return True
    if isinstance(ours, property):
        return isinstance(theirs, property)
    return inspect.isfunction(theirs) and _parameters(theirs) == _parameters(ours)


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)
