"""From a folder of images by class, or an .npz file, to uint8 arrays, once a machine; and the split into three parts.

Images stay uint8, a quarter of floats: the model scales them, on its device. The split takes no copy either, so that
all trials of a machine share one.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.builtin import vision_files
from trainables.builtin.vision_files import fitted, image_files, read_images
from trainables.data.cache import Prepared, prepared
from trainables.data.problems import DataError
from trainables.data.split import Rows, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

PART_NUMBERS = {"": -1, "train": 0, "validation": 1, "test": 2}

NAMES = {
    "": ("images", "labels"),
    "train": ("train_images", "train_labels"),
    "validation": ("val_images", "val_labels"),
    "test": ("test_images", "test_labels"),
}
"""The arrays of an .npz file: all images, or those of each part, as MedMNIST has them."""


MEASURED = 1_000
"""By so many images their brightness is measured at least, if there are as many."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """Images prepared for training.

    Attributes:
        pixels: uint8 [images, channels, size, size]
        labels: int64 [images], numbers of classes.
        classes: Their names.
        rows: The images in each part.
        mean, std: Of each channel, over up to 2 × ``MEASURED`` images for training, of pixels from 0 to 1.
        source: The folder or file.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any]
    classes: tuple[str, ...]
    rows: Rows
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: Path


def load(path: Path, *, size: int, seed: int = 0, validation: float = 0.2, test: float = 0.2) -> Images:
    """Read images, resize them, and split them.

    Args:
        path: A folder with a folder of images per class, perhaps within folders `train`, `val` and `test`; or an .npz
            file with ``images`` [images, height, width] or [images, height, width, 3] and ``labels`` [images], or with
            ``train_images``, ``train_labels``, ``val_images`` and so on.
        size: The edge of the square that is trained on: the middle of each image, scaled.
        seed: The seed of the split. Classes keep their shares in each part.
        validation, test: Shares of the images. Parts that the data has itself stay as they are.

    Raises:
        ValueError: The images cannot be used; the error names the file, folder or array.
        OSError: They cannot be read.
    """
    found = read(path, size=size)
    pixels, labels = found.arrays["pixels"], found.arrays["labels"]
    rows = split_images(path, labels, found.arrays["parts"], seed=seed, validation=validation, test=test)
    mean, std = _moments(pixels, rows.train)
    return Images(
        pixels=pixels, labels=labels, classes=tuple(found.facts["classes"]), rows=rows, mean=mean, std=std, source=path
    )


def read(path: Path, *, size: int) -> Prepared:
    """All images as uint8 [images, channels, size, size], their labels and parts, once a machine.

    Raises:
        ValueError, OSError: As :func:`load`.
    """
    code = (__file__, vision_files.__file__)
    return prepared(lambda: _prepare(path, size), data=[path], options={"size": size}, code=code)


def _prepare(path: Path, size: int) -> Prepared:
    import numpy as np

    if path.is_dir():
        files, _ = image_files(path)
        classes = sorted({file.label for file in files})
        pixels = read_images([file.path for file in files], size)
        labels = np.array([classes.index(file.label) for file in files])
        parts = np.array([PART_NUMBERS[file.part] for file in files], dtype=np.int8)
    elif path.name.endswith(".npz"):
        pixels, labels, parts, classes = _read_arrays(path, size)
    else:
        raise ValueError(f"{path}: neither a folder of images nor an .npz file")
    return Prepared(arrays={"pixels": pixels, "labels": labels, "parts": parts}, facts={"classes": classes})


def _read_arrays(path: Path, size: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], list[str]]:
    import numpy as np
    from PIL import Image

    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: not an .npz file, as numpy.savez writes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for names in NAMES.values() for name in names if name in file}
            there = ", ".join(file.files)
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: not an .npz file of plain arrays: {error}") from None
    given = [part for part, names in NAMES.items() if names[0] in arrays]
    if given != [""] and "train" not in given:
        raise ValueError(f"{path}: has neither images and labels nor train_images and train_labels, but: {there}")
    if "" in given and len(given) > 1:
        raise ValueError(f"{path}: has both images and train_images: which are meant?")
    read, numbers, parts = [], [], []
    for part in given:
        images, labels = _checked(path, arrays, *NAMES[part])
        read += [fitted(Image.fromarray(image), size) for image in images]
        numbers.append(labels)
        parts.append(np.full(len(labels), PART_NUMBERS[part], dtype=np.int8))
    values, codes = np.unique(np.concatenate(numbers), return_inverse=True)
    if len(values) < 2:
        raise ValueError(f"{path}: all images have the label {values[0]}: nothing to learn")
    missing = set(codes) - set(codes[np.concatenate(parts) <= 0])
    if missing:
        raise ValueError(f"{path}: the label {values[min(missing)]} has no images for training")
    return np.stack(read), codes, np.concatenate(parts), [str(value) for value in values]


def _checked(path: Path, arrays: Mapping[str, Any], of_images: str, of_labels: str) -> tuple[Any, Any]:
    """The images and labels of a part, if they are what they must be."""
    images, labels = arrays[of_images], arrays.get(of_labels)
    if labels is None:
        raise ValueError(f"{path}: has {of_images}, but no {of_labels}")
    grey = images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 1)
    if not grey and not (images.ndim == 4 and images.shape[3] == 3):
        shape = " × ".join(map(str, images.shape))
        raise ValueError(f"{path}: {of_images} is {shape}, not images × height × width, or that × 3")
    if images.dtype != "uint8":
        raise ValueError(f"{path}: {of_images} is of type {images.dtype}, not uint8, from 0 (black) to 255")
    if labels.ndim == 2 and labels.shape[1] == 1:  # as MedMNIST has them
        labels = labels[:, 0]
    if labels.shape != (len(images),) or not len(images):
        raise ValueError(f"{path}: {len(images)} {of_images}, but {of_labels} is {' × '.join(map(str, labels.shape))}")
    if labels.dtype.kind not in "iub" and labels.dtype.kind not in "US":
        raise ValueError(f"{path}: {of_labels} is of type {labels.dtype}; labels are whole numbers or text")
    return (images[..., 0] if images.ndim == 4 and grey else images), labels


def split_images(
    path: Path, labels: NDArray[Any], parts: NDArray[Any], *, seed: int, validation: float, test: float
) -> Rows:
    """The parts of the data, and what it has no parts for split from its images for training.

    Raises:
        DataError: The shares leave no images for training or validation.
    """
    import numpy as np

    own = {name: np.flatnonzero(parts == number) for name, number in PART_NUMBERS.items() if name}
    validation = 0.0 if len(own["validation"]) else validation
    test = 0.0 if len(own["test"]) else test
    if not len(own["validation"]) and validation <= 0:
        raise DataError("validation", f"{path}: validation={validation} leaves no images for validation")
    if validation < 0 or test < 0 or validation + test >= 1:
        problem = f"validation={validation} and test={test} leave no images for training"
        raise DataError("validation", problem, "shares with a sum below 1")
    splittable = np.flatnonzero(parts <= 0)
    rows = split(labels[splittable], seed=seed, validation=validation, test=test)
    found = {
        name: splittable[each] if len(each) else own[name]
        for name, each in (("validation", rows.validation), ("test", rows.test))
    }
    if not len(found["validation"]):
        problem = f"{path}: {len(splittable)} images are too few for validation={validation}"
        raise DataError("validation", problem, "a larger share")
    return Rows(train=splittable[rows.train], **found)


def _moments(pixels: NDArray[Any], rows: NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The mean and standard deviation of each channel, of some of the images for training."""
    some = pixels[rows[:: max(1, len(rows) // MEASURED)]].astype("float32") / 255
    mean, std = some.mean(axis=(0, 2, 3)), some.std(axis=(0, 2, 3))
    return tuple(map(float, mean)), tuple(max(float(each), 1e-3) for each in std)
