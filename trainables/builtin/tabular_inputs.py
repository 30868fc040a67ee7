"""From columns to what a network takes: numbers, and codes of categories, by what the training rows say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.builtin.tabular_columns import MAX_CATEGORIES, is_number

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

RARE = "(rare)"

FARTHEST = 1e6
"""So many standard deviations from the mean of the training rows is a number at most."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Columns as a network takes them.

    Attributes:
        values: float32 [rows, numbers + categories]: standardized numbers, then a code for each column of text.
        numbers: Names of the columns of numbers, and of the indicators of missing ones.
        categories: Columns of text, with what their codes from 1 mean; 0 is a category that training does not have.
    """

    values: NDArray[np.float32]
    numbers: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]


def inputs_of(frame: pd.DataFrame, train: NDArray[np.intp]) -> Inputs:
    """The inputs of all rows.

    A missing number becomes the median, with an indicator column; numbers are then scaled to zero mean and unit
    variance. Of text, the 50 most frequent categories have a code, of which "missing" is one; if there are more, the
    last code is that of all rarer ones, and of those that training does not have.

    Args:
        frame: The features, as :func:`trainables.builtin.tabular_columns.plain` returns them.
        train: The numbers of the training rows, the only ones to be learnt from.
    """
    import numpy as np

    text = [str(name) for name in frame if not is_number(frame[name])]
    numbers = [str(name) for name in frame if name not in text]
    values, names = _numbers(frame[numbers], train) if numbers else (np.empty((len(frame), 0)), ())
    codes, categories = _codes(frame[text], train) if text else (np.empty((len(frame), 0)), {})
    whole = np.concatenate([values, codes], axis=1).astype(np.float32)
    return Inputs(values=whole, numbers=names, categories=categories)


def _numbers(frame: pd.DataFrame, train: NDArray[np.intp]) -> tuple[NDArray[Any], tuple[str, ...]]:
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scaler = make_pipeline(imputer, StandardScaler()).fit(frame.iloc[train])
    values = np.clip(scaler.transform(frame), -FARTHEST, FARTHEST)
    return values, tuple(scaler.get_feature_names_out())


def _codes(frame: pd.DataFrame, train: NDArray[np.intp]) -> tuple[NDArray[Any], dict[str, tuple[str, ...]]]:
    import numpy as np
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=MAX_CATEGORIES).fit(
        frame.iloc[train]
    )
    categories: dict[str, tuple[str, ...]] = {}
    others: list[int] = []  # the code of a category that training does not have
    for name, kinds, rare in zip(frame, encoder.categories_, encoder.infrequent_categories_, strict=True):
        if rare is None:
            categories[str(name)] = tuple(kinds)
            others.append(-1)
        else:
            categories[str(name)] = (*(kind for kind in kinds if kind not in rare), RARE)
            others.append(len(kinds) - len(rare))
    codes = encoder.transform(frame)
    return np.where(codes < 0, others, codes) + 1, categories
