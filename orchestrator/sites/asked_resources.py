"""The resources that a trainable of Ray Tune asks for by ``tune.with_resources``, where the spec says nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cluster.ray_private.tune_wrappers import asked_resources
from orchestrator.errors import TrainableError
from orchestrator.spec.source import Source

_KEYS = {"CPU": "cpu", "GPU": "gpu", "memory": "memory"}


def with_asked_resources(source: Source) -> Source:
    """The sweep with these resources of a trial.

    Raises:
        TrainableError: A trial cannot have them.
    """
    trainable = source.trainable()
    try:
        asked = asked_resources(trainable)
    except ValueError as error:
        name = getattr(trainable, "__name__", "the trainable")
        raise TrainableError(
            f"tune.with_resources({name}, …): {error}, and here each trial is one process, all with the same resources;"
            " give the function itself, and resources: in the spec"
        ) from None
    if not asked:
        return source
    resources = source.spec.resources
    wanted: dict[str, Any] = {_KEYS[name]: amount for name, amount in asked.items() if name in _KEYS}
    if custom := {name: amount for name, amount in asked.items() if name not in _KEYS}:
        wanted["custom"] = custom
    if "memory" in wanted:
        wanted["memory"] = int(wanted["memory"])
    update = {key: amount for key, amount in wanted.items() if key not in resources.model_fields_set}
    spec = source.spec.model_copy(update={"resources": resources.model_copy(update=update)})
    return replace(source, spec=spec)
