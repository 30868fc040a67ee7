"""The columns of ordered rows as inputs of a network. What is learned from rows is learned from training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainables.builtin.sequence_rows import Ordered, carried
from trainables.builtin.tabular_columns import MAX_CATEGORIES, is_number, numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def inputs_of(rows: Ordered, *, training: NDArray[np.bool_]) -> tuple[list[NDArray[np.float32]], list[str]]:
    """The inputs [rows] of all columns, and their names.

    Numbers, dates and truth values are standardized. A missing one is the last one before it in its series (the mean
    if there is none), and if training rows lack some, an input of its own says which are known. Text becomes an input
    per category, at most 50, the rarest sharing one; "missing" is a category. A column that is constant or empty in
    the training rows is left out.

    Args:
        rows: The rows.
        training: Which of them are training rows [rows].
    """
    inputs: list[NDArray[np.float32]] = []
    names: list[str] = []
    for name, column in rows.frame.items():
        if is_number(column):
            made = _of_numbers(numbers(column), rows.first, training)
            labels = [str(name), f"{name} is known"][: len(made)]
        else:
            made, labels = _of_text(column, str(name), training)
        inputs += made
        names += labels
    return inputs, names


def _of_numbers(
    values: NDArray[np.float64], first: NDArray[np.intp], training: NDArray[np.bool_]
) -> list[NDArray[np.float32]]:
    import numpy as np

    known = np.isfinite(values)
    seen = values[training & known]
    if not len(seen) or seen.min() == seen.max():
        return []
    scaled = (carried(values, first) - seen.mean()) / (seen.std() or 1.0)
    made = [np.nan_to_num(scaled, nan=0.0).astype(np.float32)]
    return made if known[training].all() else [*made, known.astype(np.float32)]


def _of_text(
    column: pd.Series[Any], name: str, training: NDArray[np.bool_]
) -> tuple[list[NDArray[np.float32]], list[str]]:
    import numpy as np
    from sklearn.preprocessing import OneHotEncoder

    text = column.astype(object).map(str, na_action="ignore").fillna("(missing)").astype(object).to_frame(name)
    if text[name][training].nunique() < 2:
        return [], []
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False, dtype=np.float32
    )
    made = encoder.fit(text[training]).transform(text)
    return list(made.T), [str(label) for label in encoder.get_feature_names_out()]
