"""Builds Ray Tune's Tuner from our hooks, and runs it. Importing this module imports Ray Tune, which takes seconds."""

from __future__ import annotations

from ray import tune
from ray.tune import CheckpointConfig, RunConfig, TuneConfig, Tuner

from cluster.local.scratch import scratch
from cluster.ray_private.callback_count import callbacks_uncounted
from cluster.ray_private.memory_kills import surviving_memory_kills
from cluster.ray_private.tune_controller import check_controller
from cluster.ray_private.tune_trial import trainable_and_search
from orchestrator.sites.needs import Needs
from orchestrator.tune.hooks import SweepCallback, SweepScheduler, SweepSearcher, SweepStopper
from orchestrator.tune.node_lookup import NodeLookup
from orchestrator.tune.placement_groups import Placement
from orchestrator.tune.run import Driver
from orchestrator.worker.actor import ORDER, worker
from orchestrator.worker.messages import WorkerSettings


def fit(driver: Driver, settings: WorkerSettings, *, needs: Needs, pack: bool, reuse: bool) -> None:
    """Run the sweep until it has ended; arguments and errors as of ``run_ray_tune``."""
    check_controller()
    nodes = NodeLookup(driver.sweep, needs)
    placement = Placement(avoided=nodes.avoided, pack=pack)
    scheduler = SweepScheduler(driver, settings, nodes)
    trainable, search = trainable_and_search(
        worker(settings),
        SweepSearcher(driver, scheduler),
        lambda config: placement.request(needs.of(config[ORDER].asked, config[ORDER].gpus)),
    )
    with surviving_memory_kills(), callbacks_uncounted(), scratch() as directory:
        Tuner(
            trainable,
            tune_config=TuneConfig(
                search_alg=search,
                scheduler=scheduler,
                num_samples=-1,
                reuse_actors=reuse,
                trial_name_creator=lambda trial: trial.trial_id,  # Ray's default names grow with the configuration
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=RunConfig(
                name="tune",
                storage_path=str(directory.path),
                stop=SweepStopper(driver.sweep),
                callbacks=[SweepCallback(driver, scheduler)],
                checkpoint_config=CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
                progress_reporter=tune.CLIReporter(),  # the one for notebooks clears the output of the cell
            ),
        ).fit()
