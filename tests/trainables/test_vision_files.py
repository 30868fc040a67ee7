"""Folders of images: which files are of which class, and what becomes of each kind of image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainables.builtin import vision
from trainables.builtin.vision_check import check_data
from trainables.builtin.vision_files import check_memory, fitted, image_files, read_image, read_images
from trainables.data.problems import DataError


def paint(path: Path, *, mode: str = "RGB", size: tuple[int, int] = (12, 10), color: Any = 0, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cat/1.png", "cat/more/2.jpg", "dog/1.webp", "dog/2.BMP", "dog/3.gif"):
        paint(tmp_path / name)
    return tmp_path


def test_a_folder_is_a_class(photos: Path) -> None:
    (photos / ".hidden").mkdir()
    (photos / "__MACOSX").mkdir()
    (photos / "cat" / ".DS_Store").write_text("")
    found = [(file.path.relative_to(photos).as_posix(), file.label, file.part) for file in image_files(photos)[0]]
    assert found == [
        ("cat/1.png", "cat", ""),
        ("cat/more/2.jpg", "cat", ""),
        ("dog/1.webp", "dog", ""),
        ("dog/2.BMP", "dog", ""),
        ("dog/3.gif", "dog", ""),
    ]


def test_folders_for_parts_are_parts(tmp_path: Path) -> None:
    for part in ("train", "Valid", "test"):
        paint(tmp_path / part / "cat" / "1.png")
        paint(tmp_path / part / "dog" / "1.png")
    found = {(file.label, file.part) for file in image_files(tmp_path)[0]}
    assert found == {(label, part) for label in ("cat", "dog") for part in ("train", "validation", "test")}


def test_a_class_may_be_called_test_where_no_folder_is_for_training(tmp_path: Path) -> None:
    paint(tmp_path / "test" / "1.png")
    paint(tmp_path / "product" / "1.png")
    assert {file.label for file in image_files(tmp_path)[0]} == {"test", "product"}


def test_other_files_are_left_out_and_said(photos: Path) -> None:
    (photos / "cat" / "notes.txt").write_text("")
    assert len(image_files(photos)[0]) == 5
    config = vision.train.declaration.defaults() | {"data": photos, "size": 16}
    for _ in range(2):  # also where the images are prepared already
        (found,) = (each for each in check_data(config) if "left out" in each.problem)
        assert found.warning
        assert "cat/notes.txt" in found.problem


@pytest.mark.parametrize(
    ("make", "message"),
    [
        ([], "needs a folder for each class, and has no folders"),
        (["1.png", "2.png"], "needs a folder for each class, and has no folders"),
        (["cat/1.png"], "has one folder, 'cat'$"),
        (["set/cat/1.png", "set/dog/1.png"], "one folder, 'set'; its own folders are cat, dog: is .*set meant"),
        (["cat/1.png", "dog/"], "dog: the class has no images"),
        (["cat/1.png", "dog/notes.txt"], "dog: the class has no images"),
        (["train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dig/1.png"], "there is one|the class 'dig'"),
        (["train/cat/1.png", "train/dog/1.png", "extra/cat/1.png"], "beside the parts train there is extra"),
        (["train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "valid/cat/1.png"], "two folders for one part"),
        (["train/1.png", "test/1.png"], "test: .* has no folders"),
    ],
)
def test_a_folder_of_another_form_is_said(tmp_path: Path, make: list[str], message: str) -> None:
    for name in make:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        elif name.endswith(".png"):
            paint(tmp_path / name)
        else:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=message):
        image_files(tmp_path)


@pytest.mark.parametrize(
    ("name", "mode", "color", "expected"),
    [
        ("grey.png", "L", 200, [200]),
        ("bits.png", "1", 1, [255]),
        ("deep.png", "I;16", 257 * 100, [100]),
        ("color.png", "RGB", (10, 20, 30), [10, 20, 30]),
        ("color.webp", "RGB", (10, 20, 30), [10, 20, 30]),
        ("cmyk.tif", "CMYK", (0, 0, 0, 0), [255, 255, 255]),
        ("clear.png", "RGBA", (10, 20, 30, 0), [255, 255, 255]),
        ("half.png", "LA", (0, 0), [255, 255, 255]),
        ("color.gif", "RGB", (10, 20, 30), [10, 20, 30]),
    ],
)
def test_every_kind_of_image_becomes_bytes(
    tmp_path: Path, name: str, mode: str, color: Any, expected: list[int]
) -> None:
    options = {"lossless": True} if name.endswith("webp") else {}
    pixels = read_image(paint(tmp_path / name, mode=mode, color=color, **options), 4)
    assert pixels.shape == (len(expected), 4, 4)
    assert pixels.dtype == np.uint8
    assert pixels[:, 2, 2].tolist() == expected


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.sampled_from(["L", "RGB"]))
def test_any_size_becomes_the_one_asked_for(width: int, height: int, size: int, mode: str) -> None:
    color: Any = 77 if mode == "L" else (77, 77, 77)
    pixels = fitted(Image.new(mode, (width, height), color), size)
    assert pixels.shape == ((1 if mode == "L" else 3), size, size)
    assert (pixels == 77).all()


def test_the_middle_is_kept_and_nothing_is_stretched() -> None:
    wide = np.zeros((8, 24), dtype=np.uint8)
    wide[:, 8:16] = 255
    assert (fitted(Image.fromarray(wide), 8) == 255).all()


def test_a_turned_photograph_is_turned_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image = Image.fromarray(np.repeat(np.array([[0], [255]], dtype=np.uint8), 2, axis=1))
    image.save(tmp_path / "1.png", exif=exif)
    assert read_image(tmp_path / "1.png", 2)[0].tolist() == [[255, 255], [0, 0]]


def test_grey_images_among_coloured_ones_have_three_channels(tmp_path: Path) -> None:
    grey, red = paint(tmp_path / "1.png", mode="L", color=9), paint(tmp_path / "2.png", color=(255, 0, 0))
    assert read_images([grey], 4).shape == (1, 1, 4, 4)
    both = read_images([grey, red], 4)
    assert both[:, :, 0, 0].tolist() == [[9, 9, 9], [255, 0, 0]]


def test_more_images_than_the_memory_holds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"10,000,000 images of 1000 × 1000 take 60000.0 GB") as raised:
        check_memory(10_000_000, 1000)
    assert raised.value.found.name == "size"
    check_memory(1000, 32)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = paint(tmp_path / "whole.png", size=(64, 64))
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.jpg").write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "noise.jpg").read_bytes()[:2000])
    files = [whole, *(tmp_path / name for name in ("text.png", "empty.jpg", "cut.jpg"))]
    with pytest.raises(ValueError, match="3 of the files cannot be read as images") as raised:
        read_images(files, 8)
    assert all(name in str(raised.value) for name in ("text.png", "empty.jpg", "cut.jpg"))
    assert "whole.png" not in str(raised.value)
