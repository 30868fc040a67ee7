"""Builds the Tuner of a sweep and runs it. Imported once Ray starts: what is imported here takes seconds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ray import tune
from ray.tune import CheckpointConfig, RunConfig, TuneConfig, Tuner

from cluster.fit import Need
from cluster.ray_private.memory_kills import surviving_memory_kills
from cluster.ray_private.tune_controller import check_controller
from cluster.ray_private.tune_trial import trainable_and_search
from orchestrator.core.sweep import Sweep
from orchestrator.driver.gc_tuning import rarely_sought
from orchestrator.driver.loop import CheckpointTrouble
from orchestrator.tune.hooks import SweepCallback, SweepScheduler, SweepSearcher, SweepStopper
from orchestrator.tune.node_lookup import NodeLookup
from orchestrator.tune.placement_groups import Placement
from orchestrator.worker.actor import ORDER, Worker
from orchestrator.worker.messages import WorkerSettings


def fit(
    sweep: Sweep,
    job: WorkerSettings,
    *,
    need: Need,
    pack: bool,
    slots: Callable[[], int],
    reuse: bool,
    tick: Callable[[], float],
    trouble: CheckpointTrouble,
) -> None:
    """Run the sweep through Ray Tune until the sweep has ended.

    Args:
        sweep: The state machine.
        job: What all workers share.
        need: What one trial occupies, unless the sweep gives the trial another share of a GPU.
        pack: Fill one node after the other, instead of spreading the trials.
        slots: How many trials may run at once, now.
        reuse: Run trial after trial in the same process.
        tick: Does what is due beside Ray Tune, and returns the time.
        trouble: Takes what workers say of their checkpoints.

    Raises:
        UnsupportedRayError: The installed Ray cannot run a sweep.
    """
    check_controller()
    node_lookup = NodeLookup(sweep, need)
    placement = Placement(need, avoided=node_lookup.avoided, pack=pack)
    decider = SweepScheduler(sweep, time.time, Path(job.logs), job.timeout_s, trouble, node_lookup)
    trainable, search = trainable_and_search(
        tune.with_parameters(Worker, job=job),
        SweepSearcher(sweep, slots, tick),
        lambda config: placement.request(config[ORDER].gpus),
    )
    with (
        surviving_memory_kills(),
        rarely_sought(),
        tempfile.TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as scratch,
    ):
        Tuner(
            trainable,
            tune_config=TuneConfig(
                search_alg=search,
                scheduler=decider,
                num_samples=-1,
                reuse_actors=reuse,
                trial_name_creator=lambda trial: trial.trial_id,  # Ray's default names grow with the configuration
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=RunConfig(
                name="tune",
                storage_path=scratch,
                stop=SweepStopper(sweep),
                callbacks=[SweepCallback(decider, tick)],
                checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
                progress_reporter=tune.CLIReporter(),  # the one for notebooks clears the output of the cell
            ),
        ).fit()
