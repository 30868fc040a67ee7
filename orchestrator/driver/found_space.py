"""Records the parameters that trials find as they run: in the saved spec, which every reader takes the space from.

They are in the saved spec before any record has a value of them, so a crash leaves no value without its distribution.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.records.paths import SweepPaths
from orchestrator.records.provenance import Limits, read_sweep_json, write_sweep_json
from orchestrator.records.recorder import Recorder
from orchestrator.spec import Distribution, Space


class FoundSpace:
    """Writes what a space has gained since the launch.

    Args:
        space: The space of the running sweep.
        paths: Its files.
    """

    def __init__(self, space: Space, paths: SweepPaths) -> None:
        self._space = space
        self._paths = paths
        self._columns = len(space.parameters)
        self._recorded = 0

    def add_columns(self, recorder: Recorder) -> None:
        """Let the recorder take values of new parameters. Nothing is written."""
        if len(self._space.parameters) > self._columns:
            self._columns = len(self._space.parameters)
            recorder.parameters(self._space.kinds)

    def write(self) -> None:
        """Write new parameters into the saved spec; cheap if there are none.

        Raises:
            RecordsError: They cannot be written; the next call tries again.
        """
        asked = dict(self._space.asked)
        if len(asked) == self._recorded:
            return
        info = read_sweep_json(self._paths.info)
        space = {
            name: each.model_dump(mode="json", by_alias=True, exclude_none=True)
            for name, each in self._space.parameters.items()
        }
        limits = info.limits | {name: _limits(each) for name, each in asked.items()}
        write_sweep_json(self._paths.info, replace(info, spec={**info.spec, "space": space}, limits=limits))
        self._recorded = len(asked)


def _limits(asked: Distribution) -> Limits:
    """The values that a trial can take, for the sweep that `sweep next` proposes."""
    if asked.numeric is None:
        return Limits(choices=list(asked.values() or ()))
    return Limits(low=asked.numeric.low, high=asked.numeric.high)
