"""A Ray Tune trial without what costs and is never read: a trial takes Ray Tune half as long with it.

Ray Tune asks the cluster's key-value store for the trainable three times a trial, and the worker twice for facts about
itself, before it lets it train; it makes two directories for it and sends along where they are; it keeps every trial's
last result with statistics of each number in it, and writes all of it down at the end. Our records have what counts.
What is overridden here, docs/ray.md lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Experiment
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.registry import get_trainable_cls
from ray.tune.search import Searcher, SearchGenerator

from orchestrator.tune.placement_groups import Placement
from orchestrator.worker.actor import ORDER

NO_STATE = ("{}", "{}")  # of a trial and of its run, as JSON


@dataclass(frozen=True, kw_only=True)
class NoStorage:
    """In place of Ray Tune's storage: trials keep nothing there. False, which is how Ray Tune tells it from one."""

    trial_dir_name: str = "none"
    experiment_dir_name: str = "none"

    def __bool__(self) -> bool:
        return False


NOWHERE = NoStorage()


@dataclass(frozen=True, kw_only=True)
class SharedTrialSettings:
    """What all trials of a run have in common; looked up once."""

    trainable: type
    spec: Mapping[str, Any]

    @classmethod
    def of(cls, experiment: Experiment) -> SharedTrialSettings:
        """What the experiment says of its trials."""
        return cls(trainable=get_trainable_cls(experiment.spec["run"]), spec=experiment.spec)


class TrialGenerator(SearchGenerator):
    """Ray Tune's own way from a Searcher's suggestion to a trial, which makes light ones here."""

    def __init__(self, searcher: Searcher, placement: Placement) -> None:
        super().__init__(searcher)
        self._placement = placement

    def add_configurations(self, experiments: Any) -> None:
        """Called once, before the first trial."""
        super().add_configurations(experiments)
        self._common = SharedTrialSettings.of(self._experiment)

    def create_trial_if_possible(self, experiment_spec: dict[str, Any]) -> TuneTrial | None:
        """Ask the Searcher; the specification of the experiment is neither copied nor parsed for each trial."""
        trial_id = TuneTrial.generate_id()
        config = self.searcher.suggest(trial_id)
        if config == Searcher.FINISHED:
            self._finished = True
            return None
        if config is None:
            return None
        return LightTrial(self._common, config, trial_id, self._placement.request(config[ORDER].gpus))


class LightTrial(TuneTrial):
    """One attempt, as Ray Tune sees it.

    Attributes:
        error: By which Ray told of its last failure.
    """

    error: Exception | None = None

    def __init__(
        self, common: SharedTrialSettings, config: dict[str, Any], trial_id: str, resources: PlacementGroupFactory
    ) -> None:
        self._trainable = common.trainable
        super().__init__(
            common.spec["run"],
            config=config,
            trial_id=trial_id,
            storage=common.spec["storage"],
            placement_group_factory=resources,
            checkpoint_config=common.spec["checkpoint_config"],
            trial_name_creator=lambda trial: trial.trial_id,  # Ray's default names grow with the configuration
            trial_dirname_creator=lambda trial: trial.trial_id,
            max_failures=-1,
            stub=True,  # not to be looked up
        )
        self.placement_group_factory = resources
        self.storage = NOWHERE

    def init_local_path(self) -> None:
        """It has none."""

    @property
    def local_path(self) -> None:
        """It has none."""

    @property
    def path(self) -> None:
        """It has none."""

    def handle_error(self, exc: Exception | None = None) -> None:
        """Keep what Ray Tune would write into a file, and which its hooks are not told."""
        self.error = exc
        super().handle_error(exc)

    def create_placement_group_factory(self) -> None:
        """It is known."""

    def get_trainable_cls(self) -> type:
        """Is known, too."""
        return self._trainable

    def set_ray_actor(self, ray_actor: Any) -> None:
        """Where its worker is, the worker's batches say; it need not be asked."""
        self.temporary_state.ray_actor = ray_actor

    def update_last_result(self, result: dict[str, Any]) -> None:
        """The machine has it."""

    @property
    def last_result(self) -> dict[str, Any]:
        """Is looked at when a trial ends, by nobody."""
        return {}

    def get_json_state(self) -> tuple[str, str]:
        """Is written at the end of a run, and read by nobody."""
        return NO_STATE
