"""Forecasts that need no training: the last value, and the value one season ago. Every forecast is measured by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

PROMINENCE = 0.15
"""How far a peak of the autocorrelation must rise above the valleys beside it to be that of a season."""

ALIKE = 0.75
"""Peaks that rise at least so far, of the most prominent one, are alike: the first is the season, others two of it."""


def season_of(series: list[Floats]) -> int:
    """The length of the season in rows, found from training values; 1 if there is none.

    It is the lag of a prominent peak of the autocorrelation, after a linear trend is taken out: the mean over the
    series of that of each one that is at least three times as long as the lag. Missing values are interpolated.

    Args:
        series: The values of each series, NaN where missing.
    """
    import numpy as np
    from scipy import signal

    known = [values for values in series if np.isfinite(values).sum() >= 9]
    if not known:
        return 1
    lags = max(len(values) for values in known) // 3
    total, count = np.zeros(lags + 1), np.zeros(lags + 1)
    for values in known:
        found = _autocorrelation(values)[: len(values) // 3 + 1]
        total[: len(found)] += found
        count[: len(found)] += 1
    peaks, shape = signal.find_peaks(total / count, prominence=PROMINENCE)
    rises = shape["prominences"]
    return int(peaks[(rises >= ALIKE * rises.max()).argmax()]) if len(peaks) else 1


def _autocorrelation(values: Floats) -> Floats:
    """Of each lag from 0, with the biased estimate, which weighs long lags less."""
    import numpy as np
    from scipy import signal

    there = np.flatnonzero(np.isfinite(values))
    whole = np.interp(np.arange(len(values)), there, values[there])
    rest = signal.detrend(whole)
    power = np.abs(np.fft.rfft(rest, 2 * len(rest))) ** 2
    products = np.fft.irfft(power)[: len(rest)]
    scale = max(float(np.abs(whole).max()), 1.0) ** 2 * len(rest)
    return products / products[0] if products[0] > 1e-18 * scale else np.zeros(len(rest))


def naive_forecasts(filled: Floats, first: Rows, origins: Rows, horizon: int, season: int) -> tuple[Floats, Floats]:
    """The naive and the seasonal naive forecast of each origin, [origins, horizon]; NaN where there is none yet.

    A step ahead is forecast as the last value, and as that of the same place in the last season known at the origin
    (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2).

    Args:
        filled: Values [rows], with missing ones filled from those before.
        first: The first row of the series of each row [rows].
        origins: The rows after which a forecast begins.
        horizon: Steps ahead.
        season: Rows of a season.
    """
    import numpy as np

    naive = np.repeat(filled[origins][:, None], horizon, axis=1)
    back = origins[:, None] + 1 - season + np.arange(horizon) % season
    return naive, np.where(back >= first[origins][:, None], filled[np.maximum(back, 0)], np.nan)


def mean_errors(forecasts: Floats, wanted: Floats, series: Rows, count: int) -> Floats:
    """The mean absolute error of each series [count], over what is known; NaN if nothing is.

    Args:
        forecasts, wanted: [origins, horizon]; NaN where not known.
        series: The number of the series of each origin.
        count: The number of series.
    """
    import numpy as np

    errors: Any = np.abs(forecasts - wanted)
    known = np.isfinite(errors)
    sums = np.bincount(series, np.where(known, errors, 0.0).sum(axis=1), minlength=count)
    counts = np.bincount(series, known.sum(axis=1), minlength=count)
    means: Floats = np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0)
    return means
