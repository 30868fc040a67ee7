"""Examples cut out of sequences: a window of rows that are known, and what is to be predicted.

A window is two numbers into one array; nothing is copied but the batch at hand. Everything to be predicted in a
window lies in one part of the data; what is known may begin in the part before, as it does when a forecast is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainables.builtin.sequence_check import require_season
from trainables.builtin.sequence_data import Sequences
from trainables.builtin.sequence_naive import mean_errors, naive_forecasts
from trainables.builtin.sequence_rows import carried
from trainables.builtin.sequence_source import PARTS, Steps, origins
from trainables.supervised.examples import has_room

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows of sequences, as examples for the training loop.

    Attributes:
        inputs: float32 [rows, inputs] of all sequences.
        first: The first row of the window's sequence, int64 [windows]. Rows before it are padding: zeros.
        last: The last row of the window, int64 [windows].
        window: Rows of a window.
        targets: Of a forecast float32 [rows], in the units of the first input; otherwise [windows].
        horizon: Rows after the last one that are to be predicted; 0: not a forecast.
        measures: float32 [windows, 2] of a forecast: see :func:`forecasts`.
        padded: Whether an input is added that says which rows are no padding.
        device: Where batches go.
    """

    inputs: Tensor
    first: Tensor
    last: Tensor
    window: int
    targets: Tensor
    horizon: int = 0
    measures: Tensor | None = None
    padded: bool = False
    device: str = "cpu"

    def __len__(self) -> int:
        return len(self.last)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs [rows, window, inputs] and the targets of these windows.

        Those of a forecast are [rows, horizon + 2]: the values, NaN where missing, and the measures.
        """
        import torch

        rows = rows.to(self.last.device)
        last = self.last[rows, None]
        past = last + torch.arange(1 - self.window, 1, device=last.device)
        known = past >= self.first[rows, None]
        inputs = self.inputs[past.clamp(min=0)] * known.unsqueeze(-1)
        if self.padded:
            inputs = torch.cat([inputs, known.unsqueeze(-1).to(inputs.dtype)], dim=-1)
        if self.measures is None:
            return inputs.to(self.device), self.targets[rows].to(self.device)
        wanted = self.targets[last + torch.arange(1, self.horizon + 1, device=last.device)]
        return inputs.to(self.device), torch.cat([wanted, self.measures[rows]], dim=1).to(self.device)

    def on(self, device: str) -> Windows:
        """The same windows for a training on that device, and moved there at once unless they are too many."""
        if not has_room(device, self.inputs.numel() * self.inputs.element_size()):
            return replace(self, device=device)
        moved = {name: value.to(device) for name, value in vars(self).items() if hasattr(value, "to")}
        return replace(self, device=device, **moved)


def forecasts(data: Sequences, part: str, *, window: int, horizon: int, season: int) -> Windows:
    """The windows of a part of a forecast.

    The measures of one are the units of the target in one unit of the first input, and the mean absolute error of the
    seasonal naive forecast of its series in this part, NaN if there is none.

    Args:
        data: The series.
        part: One of ``PARTS``.
        window: Rows of the past in a window.
        horizon: Steps ahead to predict.
        season: Rows of a season.

    Raises:
        DataError: There is no window.
    """
    import numpy as np
    import torch

    steps = data.steps
    last = origins(steps, part, window=window, horizon=horizon)
    require_season(steps, last, part, season=season)
    series = steps.series[last]
    _, seasonal, wanted = with_naive(steps, last, horizon=horizon, season=season)
    errors = mean_errors(seasonal, wanted, series, len(data.unit))
    targets = (data.targets - data.centre[steps.series]) / data.unit[steps.series]
    return Windows(
        inputs=torch.from_numpy(data.inputs),
        first=torch.from_numpy(data.first[series]),
        last=torch.from_numpy(last),
        window=window,
        targets=torch.from_numpy(targets.astype(np.float32)),
        horizon=horizon,
        measures=torch.from_numpy(np.stack([data.unit[series], errors[series]], axis=1).astype(np.float32)),
    )


def with_naive(
    steps: Steps, last: NDArray[np.int64], *, horizon: int, season: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The naive and the seasonal naive forecast after each of these rows, and the truth, each [rows, horizon]."""
    import numpy as np

    first = steps.first[steps.series]
    naive, seasonal = naive_forecasts(carried(steps.targets, first), first, last, horizon, season)
    return naive, seasonal, steps.targets[last[:, None] + np.arange(1, horizon + 1)]


def whole_sequences(data: Sequences, part: str, *, window: int) -> Windows:
    """The last ``window`` rows of each sequence of a part; shorter ones are padded at their beginning.

    Args:
        data: The sequences, each with one target.
        part: One of ``PARTS``.
        window: Rows; 0: as many as the longest one has.
    """
    import numpy as np
    import torch

    lengths = np.diff(data.first)
    chosen = np.flatnonzero(data.part == PARTS.index(part))
    rows = min(window, int(lengths.max())) or int(lengths.max())
    return Windows(
        inputs=torch.from_numpy(data.inputs),
        first=torch.from_numpy(data.first[:-1][chosen]),
        last=torch.from_numpy(data.first[1:][chosen] - 1),
        window=rows,
        targets=torch.from_numpy(data.targets[chosen]),
        padded=bool(lengths.min() < rows),
    )
