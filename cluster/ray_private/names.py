"""Which private names of Ray are used, what for, and what happens without them; and how each is looked up.

A name is written as ``module:attribute.attribute``. ``Class().attribute`` is an attribute that only instances have, and
``function(parameter)`` a parameter. docs/ray.md shows the same table.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cluster.errors import UnsupportedRayError
from cluster.ray_private.versions import REQUIREMENT, SUPPORTED, installed


class MissingNameError(Exception):
    """The installed Ray has no such name."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Private names that serve one purpose, and are used together or not at all."""

    purpose: str  # what they are for; the subject of a sentence when they are needed
    names: tuple[str, ...]
    without: str  # what a user notices without them
    needed: bool = False  # whether a sweep would be wrong without them

    def find(self) -> tuple[Any, ...] | None:
        """What the names stand for, in their order; None if the installed Ray lacks one of them."""
        try:
            return tuple(find(name) for name in self.names)
        except MissingNameError:
            return None

    def require(self) -> tuple[Any, ...]:
        """What the names stand for, in their order.

        Raises:
            UnsupportedRayError: The installed Ray lacks one of them.
        """
        try:
            return tuple(find(name) for name in self.names)
        except MissingNameError as error:
            raise UnsupportedRayError(
                f"Ray {installed()} is installed, which does not allow {self.purpose} (it has no {error});"
                f" supported is Ray {SUPPORTED}: pip install '{REQUIREMENT}'"
            ) from None


def find(name: str) -> Any:
    """What a private name of Ray stands for; of a parameter the function, of an instance's attribute the class.

    Raises:
        MissingNameError: The installed Ray has no such name.
    """
    module, _, path = name.partition(":")
    path, _, parameter = path.partition("(") if path.endswith(")") else (path, "", "")
    try:
        found: Any = import_module(module)
        for attribute in path.partition("()")[0].split(".") if path else ():
            found = getattr(found, attribute)
    except (ImportError, AttributeError):
        raise MissingNameError(name) from None
    if parameter and not _takes(found, parameter.rstrip(")")):
        raise MissingNameError(name)
    return found


def _takes(function: Any, parameter: str) -> bool:
    """Whether a function has a parameter, or picks it out of ``**kwargs`` by its name."""
    return parameter in inspect.signature(function).parameters or f'"{parameter}"' in inspect.getsource(function)


MINIMAL_DAEMONS = Family(
    purpose="starting Ray without an API server, monitors and what a dashboard needs",
    names=(
        "ray._private.node:Node",
        "ray._private.node:Node.start_api_server",
        "ray._private.node:Node.start_log_monitor",
        "ray._private.node:Node.start_monitor",
        "ray._private.utils",
        "ray._private.utils:get_dashboard_dependency_error",
    ),
    without="Ray takes some 3 s longer to start on this machine",
)
LOOPBACK_ONLY = Family(
    purpose="keeping Ray on the loopback interface",
    names=("ray._private.ray_constants", "ray._private.ray_constants:ENABLE_RAY_CLUSTER"),
    without="on this machine Ray listens for other machines, which need its token",
)
ALL_MEMORY = Family(
    purpose="giving trials all of this machine's memory",
    names=("ray:init(_memory)",),
    without="on this machine trials can ask for 70% of the memory at most (resources.memory)",
)
OUR_PACKAGES_FIRST = Family(
    purpose="importing our packages in workers whatever folders a project has",
    names=("ray.job_config:JobConfig(_py_driver_sys_path)",),
    without="a project with a folder called orchestrator cannot be launched",
)
OTHER_GPUS = Family(
    purpose="counting GPUs of other makers than NVIDIA",
    names=("ray._private.accelerators:get_accelerator_manager_for_resource",),
    without="on this machine, plan counts NVIDIA's GPUs only",
)
GOODBYE = Family(
    purpose="noticing that Ray has disconnected",
    names=("ray._private.worker:global_worker", "ray._private.worker:Worker().core_worker"),
    without="a sweep may take some seconds longer to end",
)
DRAINING_NODES = Family(
    purpose="asking which nodes are about to be removed",
    names=("ray._private.state:state.get_draining_nodes",),
    without="on a cluster, trials may start on nodes that are about to be removed",
)
FREE_RESOURCES = Family(
    purpose="asking what is free on each node",
    names=("ray._private.state:state.available_resources_per_node",),
    without="on a cluster, plan and doctor do not see what others occupy, and resources.placement: pack spreads",
)
ACTOR_NODE = Family(
    purpose="asking on which node a worker ran",
    names=("ray._private.state:state.actor_table",),
    without="on a cluster, a lost node may count as a failure of its trials",
)
ASKING_A_HEAD = Family(
    purpose="asking the head of a cluster before joining",
    names=("ray._raylet:GcsClient", "ray._private.services:get_node_to_connect_for_driver(timeout_seconds)"),
    without="a cluster that cannot be joined takes minutes to say so",
)
CLUSTER_OF_THIS_MACHINE = Family(
    purpose="finding the clusters of which this machine is a node",
    names=("ray._private.services:find_gcs_addresses",),
    without="--on auto finds no cluster; --on host:port names one",
    needed=True,
)
TOKEN = Family(
    purpose="presenting a token where a cluster asks for one",
    names=("ray._private.authentication.authentication_token_setup:maybe_enable_token_auth_if_token_available",),
    without="a cluster with a token needs RAY_AUTH_MODE=token",
)
SERVER_VERSION = Family(
    purpose="asking which Ray a cluster runs",
    names=("ray.job_submission:JobSubmissionClient()._server_ray_version",),
    without="--on http://… does not refuse a cluster whose Ray is too old",
)
START_COMMAND = Family(
    purpose="running `ray start` by this Python",
    names=("ray.scripts.scripts",),
    without="in a Slurm job, the `ray` command on PATH is run",
)
MEMORY_KILLS = Family(
    purpose="surviving a worker that Ray kills for want of memory",
    names=(
        "ray.air.execution._internal.actor_manager:RayActorManager",
        "ray.air.execution._internal.actor_manager:RayActorManager._actor_task_failed",
    ),
    without="a worker that Ray kills for want of memory ends the sweep, until sweep resume",
)
LIGHT_TRIALS = Family(
    purpose="leaving out what Ray Tune does for each trial and nobody reads",
    names=(
        "ray.tune.experiment.trial:_get_trainable_kwargs",
        "ray.tune.experiment:Experiment().spec",
        "ray.tune.experiment:Trial(stub)",
        "ray.tune.experiment:Trial().temporary_state",
        "ray.tune.experiment:Trial.create_placement_group_factory",
        "ray.tune.experiment:Trial.generate_id",
        "ray.tune.experiment:Trial.get_json_state",
        "ray.tune.experiment:Trial.get_trainable_cls",
        "ray.tune.experiment:Trial.handle_error",
        "ray.tune.experiment:Trial.init_local_path",
        "ray.tune.experiment:Trial.last_result",
        "ray.tune.experiment:Trial.local_path",
        "ray.tune.experiment:Trial.path",
        "ray.tune.experiment:Trial.set_ray_actor",
        "ray.tune.experiment:Trial.update_last_result",
    ),
    without="each worker takes a second longer to start, each trial some 10 ms, a trial does not say how its worker"
    " died, and one that is stopped ends only when its worker is needed",
)
STOPPING_TRIALS = Family(
    purpose="keeping a failed trial from being run again",
    names=("ray.tune.execution.tune_controller:TuneController.stop_trial",),
    without="no sweep runs",
    needed=True,
)
ENDED_TRIALS = Family(
    purpose="dropping ended trials from Ray Tune's list",
    names=("ray.tune.execution.tune_controller:TuneController.get_trials",),
    without="sweeps of thousands of trials slow down towards their end",
)
CALLBACK_COUNT = Family(
    purpose="starting without the loggers of MLflow and W&B",
    names=("ray.air._internal.usage", "ray.air._internal.usage:tag_callbacks"),
    without="where MLflow and W&B are installed, the first trial starts some 2 s later",
)
SILENCE = Family(
    purpose="keeping Ray Tune's own progress lines off the terminal",
    names=("ray.tune.progress_reporter:TrialProgressCallback",),
    without="Ray Tune may print lines of its own",
)
PLACEMENT = Family(
    purpose="deciding where a process goes when it starts",
    names=("ray.tune:PlacementGroupFactory.to_placement_group",),
    without="on a cluster, trials may start on nodes that were set aside",
)
SOFT_TARGET = Family(
    purpose="filling one node after the other",
    names=("ray.util.placement_group:placement_group(_soft_target_node_id)",),
    without="resources.placement: pack spreads",
)
FUNCTION_SESSION = Family(
    purpose="training a Ray Tune function, train(config) with tune.report",
    names=("ray.train._internal.session", "ray.train._internal.session:_session"),
    without="functions written for Ray Tune do not train; those with train(config, trial) do",
    needed=True,
)
TRAINER_REPORTS = Family(
    purpose="training a TorchTrainer, or another trainer of Ray Train, inside a Ray Tune function",
    names=(
        "ray.train._internal.session:_TrainSession._get_or_create_inter_actor_queue",
        "ray.train.v2._internal.execution.controller:TrainController.abort",
    ),
    without="TuneReportCallback is refused inside a Ray Tune function; reporting after trainer.fit() is not",
)
TRAINER_CLEANERS = Family(
    purpose="starting a TorchTrainer without an actor that only cleans up after it",
    names=(
        "ray.train.v2.api.data_parallel_trainer",
        "ray.train.v2.api.data_parallel_trainer:PlacementGroupCleanerCallback",
        "ray.train.v2._internal.execution.callback:RayTrainCallback",
    ),
    without="a TorchTrainer inside a Ray Tune function starts later, and leaves a process behind if it is killed",
)
TRAINER_PATH = Family(
    purpose="importing a project's modules in the workers of a TorchTrainer",
    names=(
        "ray.train.v2.api.data_parallel_trainer:get_env_vars_to_propagate",
        "ray.train.v2._internal.constants:get_env_vars_to_propagate",
    ),
    without="a TorchTrainer inside a Ray Tune function needs `sweep launch` to be called in the spec's directory",
)
TRAINER_GROUPS = Family(
    purpose="giving back the resources of a TorchTrainer that was killed with its trial",
    names=(
        "ray._private.state:state._connect_and_get_accessor",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData",
    ),
    without="the CPUs and GPUs of a TorchTrainer that was killed with its trial stay occupied until the sweep ends",
)
CLASS_ITERATION = Family(
    purpose="counting the steps of a class of Ray Tune over all attempts",
    names=("ray.tune:Trainable()._iteration",),
    without="in a class of Ray Tune, training_iteration stays 0",
)
ASKED_RESOURCES = Family(
    purpose="taking over the resources of tune.with_resources",
    names=("ray.tune.trainable.util:with_parameters(_resources)",),
    without="tune.with_resources is ignored for functions; resources in the spec are not",
)
TASKS_OF_TRIALS = Family(
    purpose="placing Ray tasks that a trial starts beside the trial",
    names=(
        "ray._private.worker:Worker",
        "ray._private.worker:Worker.should_capture_child_tasks_in_placement_group",
    ),
    without="a Ray task or actor that a trial starts waits for ever, unless it needs no CPU",
)

FAMILIES = tuple(value for value in globals().copy().values() if isinstance(value, Family))
