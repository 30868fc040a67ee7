"""Networks on images: data and its parts, models of any size, augmentation, learning."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trainables.builtin import vision_check, vision_models
from trainables.builtin.vision import HYPERPARAMETERS, evaluate, train
from trainables.builtin.vision_augment import augmentation
from trainables.builtin.vision_check import check_data
from trainables.builtin.vision_data import load
from trainables.configuration import complete
from trainables.contract import run
from trainables.data.problems import DataProblem
from trainables.trial import Trial

DIGITS = Path(__file__).parents[2] / "examples" / "data" / "digits.npz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Bright and dark images of different sizes, ten of each."""
    random = np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 120)):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(10):
            shape = (9 + number, 14 - number, 3)
            pixels = random.integers(low, low + 130, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / label / f"{number}.png")
    return tmp_path / "images"


def test_a_folder_is_trained_on_and_tested(folder: Path, tmp_path: Path) -> None:
    config = {
        "data": folder,
        "size": 8,
        "model": "cnn",
        "depth": 1,
        "width": 4,
        "epochs": 20,
        "lr": 0.02,
        "batch_size": 4,
    }
    trial = Trial(config=config, device="cpu", directory=tmp_path / "trial")
    run(train, trial)
    assert trial.history[-1].metrics["val_accuracy"] == 1
    scores = evaluate(config, Trial(config=config, device="cpu", directory=tmp_path / "trial"))
    assert scores.keys() == {"test_loss", "test_accuracy", "test_auroc"}
    assert scores["test_accuracy"] == 1


def test_the_parts_are_apart_and_have_every_class() -> None:
    images = load(DIGITS, size=8, seed=3)
    parts = [images.rows.train, images.rows.validation, images.rows.test]
    assert sorted(np.concatenate(parts)) == list(range(1797))
    assert [len(part) for part in parts] == pytest.approx([1078, 359, 360], abs=4)
    for part in parts:
        assert np.bincount(images.labels[part]) == pytest.approx(len(part) / 10, abs=5)
    assert load(DIGITS, size=8, seed=3).rows.test.tolist() == images.rows.test.tolist()
    assert load(DIGITS, size=8, seed=4).rows.test.tolist() != images.rows.test.tolist()
    assert load(DIGITS, size=16).pixels.shape == (1797, 1, 16, 16)


def test_the_trials_of_a_machine_share_one_copy() -> None:
    pixels = load(DIGITS, size=8).pixels
    assert isinstance(pixels, np.memmap)
    assert np.shares_memory(pixels, load(DIGITS, size=8, seed=1, test=0).pixels)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


PIXELS = np.zeros((20, 6, 6), dtype=np.uint8)
LABELS = np.arange(20) % 2


def test_parts_that_the_data_has_stay(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(10):
                Image.new("L", (4, 4), 9).save(tmp_path / part / label / f"{number}.png")
    images = load(tmp_path, size=4)
    assert [len(images.rows.train), len(images.rows.validation), len(images.rows.test)] == [16, 20, 4]
    assert len(load(tmp_path, size=4, test=0).rows.test) == 0


def test_arrays_of_parts_are_read_as_medmnist_has_them(tmp_path: Path) -> None:
    colours = np.zeros((20, 6, 6, 3), dtype=np.uint8)
    arrays = {f"{part}_images": colours for part in ("train", "val", "test")}
    labels = {f"{part}_labels": LABELS[:, None].astype(np.uint8) for part in ("train", "val", "test")}
    images = load(save(tmp_path / "med.npz", **arrays, **labels), size=6)
    assert images.pixels.shape == (60, 3, 6, 6)
    assert images.rows.validation.tolist() == list(range(20, 40))
    assert images.rows.test.tolist() == list(range(40, 60))
    assert images.classes == ("0", "1")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": PIXELS}, "has neither images and labels nor train_images and train_labels, but: x"),
        ({"images": PIXELS}, "has images, but no labels"),
        ({"images": PIXELS, "labels": LABELS[:-1]}, "20 images, but labels is 19"),
        ({"images": PIXELS[:0], "labels": LABELS[:0]}, "0 images"),
        ({"images": PIXELS, "labels": LABELS * 0}, "all images have the label 0: nothing to learn"),
        ({"images": PIXELS, "labels": LABELS / 2}, "labels is of type float64"),
        ({"images": PIXELS / 255, "labels": LABELS}, "images is of type float64, not uint8"),
        ({"images": PIXELS[:, 0], "labels": LABELS}, "images is 20 × 6, not"),
        ({"images": PIXELS, "labels": LABELS, "train_images": PIXELS}, "both images and train_images"),
        ({"val_images": PIXELS, "val_labels": LABELS}, "has neither"),
        (
            {"train_images": PIXELS, "train_labels": LABELS, "test_images": PIXELS, "test_labels": LABELS + 1},
            "the label 2 has no images for training",
        ),
    ],
)
def test_arrays_of_another_form_are_said(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(save(tmp_path / "a.npz", **arrays), size=6)


def problems(**config: Any) -> list[DataProblem]:
    return list(check_data(complete({"data": DIGITS, "size": 8} | config, HYPERPARAMETERS)))


def test_check_finds_what_would_fail_every_trial(tmp_path: Path, folder: Path) -> None:
    assert problems() == []
    assert problems(data=folder) == []
    assert [(each.name, each.warning) for each in problems(model="vit", patch=3)] == [("patch", False)]
    assert problems(model="cnn", patch=3) == []
    assert [each.name for each in problems(validation=0.6, test=0.4)] == ["validation"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "needs a folder for each class" in problems(data=empty)[0].problem
    assert problems(data=tmp_path / "none.npz")[0].problem.endswith("cannot be read: No such file or directory")
    (folder / "light" / "3.png").write_text("no image")
    (found,) = problems(data=folder)
    assert (found.name, found.warning) == ("data", False)
    assert "light/3.png" in found.problem


def test_check_warns_of_a_class_that_is_too_rare_to_be_scored(folder: Path) -> None:
    (folder / "rare").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "rare" / "1.png")
    found = problems(data=folder)
    assert [each.warning for each in found] == [True, True]
    assert "no image for validation has the class 'rare'" in found[0].problem


def test_check_warns_of_more_images_than_this_machine_has_memory_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision_check, "LOOKED_AT", 5)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1e3))
    (found,) = problems(data=folder)
    assert (found.name, found.warning) == ("size", True)


def test_check_reads_some_of_many_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision_check, "LOOKED_AT", 5)
    monkeypatch.setattr(vision_check, "read", None)
    assert problems(data=folder) == []
    (folder / "dark" / "0.png").write_text("no image")
    assert "dark/0.png" in problems(data=folder)[0].problem


def test_what_is_no_data_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("text")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    np.savez(tmp_path / "objects.npz", images=np.array([{}, {}]), labels=LABELS[:2])
    for name, message in (
        ("a.npz", "not an .npz file"),
        ("objects.npz", "not an .npz file of plain arrays"),
        ("a.csv", "neither a folder of images nor an .npz file"),
    ):
        with pytest.raises(ValueError, match=message):
            load(tmp_path / name, size=6)


@pytest.mark.parametrize(("validation", "test"), [(0.0, 0.2), (0.5, 0.5), (1.0, 0.0), (0.001, 0.0)])
def test_shares_that_leave_nothing_are_said(validation: float, test: float) -> None:
    with pytest.raises(ValueError, match="validation="):
        load(DIGITS, size=8, validation=validation, test=test)


@settings(max_examples=25)
@given(
    name=st.sampled_from(["cnn", "resnet", "vit"]),
    channels=st.sampled_from([1, 3]),
    size=st.sampled_from([4, 7, 8, 33, 70]),
    depth=st.integers(1, 4),
    width=st.integers(1, 5),
)
def test_models_of_any_size_give_a_logit_for_each_class(
    name: str, channels: int, size: int, depth: int, width: int
) -> None:
    sizes: dict[str, Any] = {
        "channels": channels, "size": size, "classes": 3, "depth": depth, "width": width, "dropout": 0.1
    }  # fmt: skip
    if name == "vit":
        sizes["patch"] = size
    model = torch.nn.Sequential(*getattr(vision_models, name)(**sizes))
    logits = model(torch.randn(2, channels, size, size))
    assert logits.shape == (2, 3)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_resnet_has_the_layers_and_weights_of_the_paper() -> None:
    """He et al. 2016, table 6: ResNet-20 has 0.27 million parameters."""
    model = torch.nn.Sequential(*vision_models.resnet(channels=3, size=32, classes=10, depth=3, width=16, dropout=0.0))
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(0.27e6, rel=0.03)
    layers = [each for each in model.modules() if isinstance(each, torch.nn.Conv2d) and each.kernel_size == (3, 3)]
    assert len(layers) + 1 == 20


def test_a_patch_that_does_not_divide_the_image_is_said() -> None:
    config = {"data": DIGITS, "size": 8, "model": "vit", "patch": 3, "epochs": 1}
    with pytest.raises(ValueError, match="patch=3 does not divide size=8; patch: 2"):
        run(train, Trial(config=config, device="cpu"))


def test_none_changes_nothing() -> None:
    assert augmentation("none") is None


def test_a_flip_mirrors_about_half_of_the_images() -> None:
    torch.manual_seed(0)
    change = augmentation("flip")
    assert change is not None
    images = torch.randint(0, 256, (200, 3, 6, 6), dtype=torch.uint8)
    changed = change(images)
    same = (changed == images).flatten(1).all(dim=1)
    mirrored = (changed == images.flip(3)).flatten(1).all(dim=1)
    assert (same | mirrored).all()
    assert 70 < same.sum() < 130


def test_a_crop_moves_each_image_and_repeats_its_edge() -> None:
    torch.manual_seed(0)
    change = augmentation("crop")
    assert change is not None
    image = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    padded = torch.nn.functional.pad(image.float(), (2, 2, 2, 2), mode="replicate").to(torch.uint8)
    expected = {tuple(padded[0, 0, y : y + 16, x : x + 16].flatten().tolist()) for y in range(5) for x in range(5)}
    found = {tuple(each.flatten().tolist()) for each in change(image.expand(500, 1, 16, 16))}
    assert found == expected
