"""Image files as arrays: which files are images of which class, and how they are read, each to the same size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.data.problems import FEW, DataError, few

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")

PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Folders that are a part of the data rather than a class, if one of them is for training."""


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An image of a class, in a part of the data: "train", "validation", "test", or "" if it has no parts."""

    path: Path
    label: str
    part: str


def image_files(folder: Path) -> tuple[list[ImageFile], list[Path]]:
    """The images in a folder with one folder per class, in the order of their names, and the other files there.

    A folder `train` beside `val` or `test` is a part of the data, with a folder per class in it. Images may be in
    further folders of a class. Hidden files are in neither list.

    Raises:
        ValueError: There are not two classes, or a class has no images; the error names the folder.
        OSError: A folder cannot be read.
    """
    folders = _folders(folder)
    parts = {each: PARTS[each.name.lower()] for each in folders if each.name.lower() in PARTS}
    if "train" not in parts.values():
        return _of_classes(folder, "")
    if unexpected := [each.name for each in folders if each not in parts]:
        raise ValueError(f"{folder}: beside the parts {few([each.name for each in parts])} there is {few(unexpected)}")
    if len(set(parts.values())) < len(parts):
        raise ValueError(f"{folder}: {few([each.name for each in parts])}: two folders for one part")
    found: list[ImageFile] = []
    others: list[Path] = []
    for each, part in parts.items():
        images, left = _of_classes(each, part)
        found += images
        others += left
    classes = {file.label for file in found if file.part == "train"}
    for file in found:
        if file.label not in classes:
            raise ValueError(f"{file.path.parent}: the class {file.label!r} has no images for training")
    return found, others


def _of_classes(folder: Path, part: str) -> tuple[list[ImageFile], list[Path]]:
    classes = _folders(folder)
    if len(classes) < 2:
        there = "no folders" if not classes else f"one folder, {classes[0].name!r}"
        hint = ""
        if classes and len(_folders(classes[0])) > 1:
            hint = f"; its own folders are {few([each.name for each in _folders(classes[0])])}: is {classes[0]} meant?"
        raise ValueError(f"{folder}: a folder of images needs a folder for each class, and has {there}{hint}")
    found: list[ImageFile] = []
    others: list[Path] = []
    for each in classes:
        files = sorted(_files(each))
        images = [path for path in files if path.name.lower().endswith(ENDINGS)]
        others += [path for path in files if not path.name.lower().endswith(ENDINGS)]
        if not images:
            raise ValueError(f"{each}: the class has no images; their names end in {', '.join(ENDINGS)}")
        found += [ImageFile(path=path, label=each.name, part=part) for path in images]
    return found, others


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith((".", "__")))


def _files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (Path(directory, name) for name in names if not name.startswith("."))


def check_memory(images: int, size: int) -> None:
    """Refuse more images than the memory has room for.

    Raises:
        DataError: They are more.
    """
    import psutil

    needed, free = 2 * images * 3 * size**2, psutil.virtual_memory().available  # twice: as read, and as one array
    if needed > free:
        amounts = f"{needed / 1e9:.1f} GB to prepare, {free / 1e9:.1f} GB are free"
        problem = f"{images:,} images of {size} × {size} take {amounts}"
        raise DataError("size", problem, "a smaller size")


def read_images(paths: Sequence[Path], size: int) -> NDArray[np.uint8]:
    """The images [images, channels, size, size]; one channel if all are grey, otherwise three.

    Raises:
        DataError: They do not fit in memory.
        ValueError: Some cannot be read; the error names them.
    """
    import numpy as np

    check_memory(len(paths), size)

    def read(path: Path) -> NDArray[np.uint8] | str:
        try:
            return read_image(path, size)
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:  # what Pillow raises, by format
            return f"{path}: {' '.join(str(error).split())}"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which a damaged image has as well
        with ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1)) as threads:
            found = list(threads.map(read, paths))
    if wrong := [each for each in found if isinstance(each, str)]:
        files = "1 of the files" if len(wrong) == 1 else f"{len(wrong)} of the files"
        more = f"; and {len(wrong) - FEW} more" if len(wrong) > FEW else ""
        raise ValueError(f"{files} cannot be read as images: {'; '.join(wrong[:FEW])}{more}")
    arrays = [each for each in found if not isinstance(each, str)]
    channels = max(each.shape[0] for each in arrays)
    stacked = np.empty((len(arrays), channels, size, size), dtype=np.uint8)
    for number, array in enumerate(arrays):
        stacked[number] = array  # a grey one in all three channels
    return stacked


def read_image(path: Path, size: int) -> NDArray[np.uint8]:
    """The image of a file [1 or 3 channels, size, size]: the first one, as it is to be looked at, on white.

    Raises:
        OSError, ValueError, SyntaxError, EOFError: It cannot be read.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.format == "JPEG":
                image.draft(None, (2 * size, 2 * size))  # decoded in steps of two, which is quicker
            return fitted(ImageOps.exif_transpose(image), size)
    except UnidentifiedImageError:
        raise ValueError("not an image, or damaged at its beginning") from None
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None


def fitted(image: Image, size: int) -> NDArray[np.uint8]:
    """The middle square of an image, scaled [1 or 3 channels, size, size].

    Raises:
        ValueError: It has floats rather than brightnesses.
    """
    import numpy as np
    from PIL import Image, ImageOps

    if image.mode.startswith("I"):  # 16 bits per pixel
        deep = np.asarray(image).astype(np.int64)
        image = Image.fromarray((deep // 257 if deep.max() > 255 else deep).clip(0, 255).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, whose white is not known")
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    pixels = np.asarray(ImageOps.fit(image, (size, size), method=Image.Resampling.BICUBIC))
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
