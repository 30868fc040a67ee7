"""Writes digits_by_row.parquet: scikit-learn's handwritten digits, read from top to bottom, a row of pixels at a time.

Each of the 1,797 images is a sequence of eight rows. Run it as ``python examples/data/make_digits.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

FILE = Path(__file__).with_name("digits_by_row.parquet")

ROWS = 8


def digits_by_row() -> pd.DataFrame:
    """A row per row of pixels: the image's number, the row's, its eight pixels from 0 to 16, and the digit."""
    digits = load_digits()
    images = len(digits.target)
    pixels = digits.images.reshape(images * ROWS, -1).astype(np.int8)
    return pd.DataFrame(
        {
            "image": np.repeat(np.arange(images, dtype=np.int16), ROWS),
            "row": np.tile(np.arange(ROWS, dtype=np.int8), images),
            **{f"pixel_{column}": pixels[:, column] for column in range(pixels.shape[1])},
            "digit": [f"{digit}" for digit in np.repeat(digits.target, ROWS)],
        }
    )


if __name__ == "__main__":
    digits_by_row().to_parquet(FILE, index=False)
