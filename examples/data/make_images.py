"""Writes digits.npz: scikit-learn's handwritten digits as images from 0 (paper) to 255 (ink)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    """Write the file beside this script."""
    digits = load_digits()
    images = (digits.images * 255 / 16).astype(np.uint8)
    np.savez_compressed(Path(__file__).parent / "digits.npz", images=images, labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    main()
