"""What `sweep check` finds in a folder of images, or in an .npz file; imports numpy and Pillow, but no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainables.builtin.vision_data import PART_NUMBERS, read, split_images
from trainables.builtin.vision_files import ImageFile, check_memory, image_files, read_images
from trainables.builtin.vision_models import check_patch
from trainables.data.problems import DataError, DataProblem, few, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LOOKED_AT = 2_000
"""Of a folder with more images, so many are read, evenly spaced; the others are counted."""


def check_data(config: Mapping[str, Any]) -> Iterator[DataProblem]:
    """Look into the images, and at what a model and the split need of them."""
    path, size = config["data"], config["size"]
    try:
        files, others = image_files(path) if path.is_dir() else ([], [])
        labels, parts, classes = _labels(path, size, files)
    except OSError as error:
        yield unreadable(path, error)
        return
    except DataError as error:
        yield replace(error.found, warning=True)  # too much for this machine: that of the trials may have more memory
        return
    except ValueError as error:
        yield DataProblem(name="data", problem=str(error))
        return
    try:
        if config["model"] == "vit":
            check_patch(config["patch"], size)
        shares = {name: config[name] for name in ("validation", "test")}
        rows = split_images(path, labels, parts, seed=config["split_seed"], **shares)
    except DataError as error:
        yield error.found
        return
    if others:
        problem = f"{path}: no images by their names, and left out: {few([str(each) for each in others])}"
        yield DataProblem(name="data", problem=problem, warning=True)
    for name, part in (("validation", rows.validation), ("test", rows.test)):
        there = set(labels[part])
        missing = [repr(each) for number, each in enumerate(classes) if number not in there]
        if missing and len(part):
            problem = f"{path}: no image for {name} has the class {few(missing)}"
            yield DataProblem(name="data", problem=problem, warning=True)


def _labels(path: Path, size: int, files: list[ImageFile]) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """The label and the part of each image, and the classes, once the images have been read."""
    import numpy as np

    if len(files) <= LOOKED_AT:
        found = read(path, size=size)  # which the trials need anyway
        return found.arrays["labels"], found.arrays["parts"], list(found.facts["classes"])
    check_memory(len(files), size)
    read_images([file.path for file in files[:: len(files) // LOOKED_AT]], size)
    classes = sorted({file.label for file in files})
    labels = np.array([classes.index(file.label) for file in files])
    return labels, np.array([PART_NUMBERS[file.part] for file in files]), classes
