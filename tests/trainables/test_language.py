"""A GPT on a text: tokens, windows and parts, the model, and what it learns."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables import tiny
from trainables.builtin.language import HYPERPARAMETERS, check_data, evaluate, train
from trainables.builtin.language_data import load, split, windows
from trainables.builtin.language_model import NextToken, gpt
from trainables.configuration import complete
from trainables.contract import run
from trainables.data.problems import DataError, DataProblem
from trainables.trial import Trial

SHARES: dict[str, Any] = {"context": 2, "validation": 0.2, "test": 0.2}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_bytes_are_the_file_and_characters_its_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "äa\r\n" * 9)
    found = load(path, tokens="bytes", **SHARES)
    assert (bytes(found.numbers), found.vocabulary) == (path.read_bytes(), 256)
    found = load(path, tokens="characters", **SHARES)
    assert (found.numbers.tolist(), found.vocabulary) == ([3, 2, 1, 0] * 9, 4)
    assert found.numbers.dtype == np.uint8


def test_many_different_characters_have_numbers_of_their_own(tmp_path: Path) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 600)))
    found = load(write(tmp_path / "a.txt", text), tokens="characters", **SHARES)
    assert found.numbers.tolist() == list(range(600))


@given(total=st.integers(30, 300), context=st.integers(1, 5), validation=st.floats(0.2, 0.4), test=st.floats(0, 0.4))
def test_no_window_crosses_into_another_part(total: int, context: int, validation: float, test: float) -> None:
    numbers = np.arange(total, dtype=np.int32)
    tokens = split(numbers, 0, source=Path("t"), context=context, validation=validation, test=test)
    assert tokens.part("train")[0] == 0
    assert tokens.part("train")[1] == tokens.part("validation")[0]
    assert tokens.part("validation")[1] == tokens.part("test")[0]
    assert tokens.part("test")[1] == total
    for part in ("train", "validation", "test"):
        start, end = tokens.part(part)
        examples = windows(tokens, part, context=context, device="cpu")
        assert len(examples) or part == "test"
        inputs, targets = examples.batch(torch.arange(len(examples)))
        assert inputs.flatten().tolist() == list(range(start, start + len(examples) * context))
        assert torch.equal(targets, inputs + 1)
        assert end - start - context <= len(examples) * context < max(end - start, 1)


def test_the_outputs_see_nothing_of_what_follows() -> None:
    torch.manual_seed(0)
    model = gpt(vocabulary=11, context=8, layers=2, heads=2, width=8, dropout=0.0).eval()
    tokens = torch.randint(11, (3, 8))
    other = tokens.clone()
    other[:, 5:] = (other[:, 5:] + 1) % 11
    with torch.no_grad():
        assert torch.allclose(model(tokens)[:, :5], model(other)[:, :5], atol=1e-6)
        assert not torch.allclose(model(tokens)[:, 5:], model(other)[:, 5:], atol=1e-3)
        assert torch.allclose(model(tokens[:, :3]), model(tokens)[:, :3], atol=1e-6)


def test_it_has_the_weights_of_gpt_2_and_begins_by_knowing_nothing() -> None:
    with torch.device("meta"):
        small = gpt(vocabulary=50257, context=1024, layers=12, heads=12, width=768, dropout=0.1)
    assert sum(p.numel() for p in small.parameters()) == 124_439_808
    torch.manual_seed(0)
    model = gpt(vocabulary=64, context=16, layers=3, heads=2, width=32, dropout=0.0)
    tokens = torch.randint(64, (8, 17))
    assert NextToken().loss(model(tokens[:, :-1]), tokens[:, 1:]).item() == pytest.approx(math.log(64), abs=0.1)


def test_bits_are_the_loss_in_base_two() -> None:
    logits, targets = torch.zeros(2, 3, 8), torch.zeros(2, 3, dtype=torch.int64)
    task = NextToken()
    assert float(task.loss(logits, targets)) == pytest.approx(math.log(8))
    assert task.scores(logits, targets) == pytest.approx({"bits_per_token": 3.0, "accuracy": 1.0})


def test_it_learns_a_text_and_is_tested_on_its_end(tmp_path: Path) -> None:
    config = {
        "data": write(tmp_path / "a.txt", "abcdefgh" * 400),
        "layers": 1,
        "heads": 2,
        "width": 16,
        "context": 16,
        "epochs": 5,
        "batch_size": 16,
        "lr": 0.02,
    }
    trial = Trial(config=config, device="cpu", directory=tmp_path / "trial")
    run(train, trial)
    last = trial.history[-1].metrics
    assert last["val_bits_per_token"] < 0.5
    assert last["val_bits_per_token"] == pytest.approx(last["val_loss"] / math.log(2))
    scores = evaluate(config, Trial(config=config, device="cpu", directory=tmp_path / "trial"))
    assert scores.keys() == {"test_loss", "test_bits_per_token", "test_accuracy"}
    assert scores["test_accuracy"] > 0.9


def problems(**config: Any) -> list[DataProblem]:
    return list(check_data(complete(config, HYPERPARAMETERS)))


def test_check_finds_what_would_fail_every_trial(tmp_path: Path) -> None:
    data = tiny.text(tmp_path / "a.txt")
    assert problems(data=data, context=16) == []
    latin = write(tmp_path / "latin.txt", "größer ".encode("latin-1") * 400)
    assert problems(data=latin, context=16) == []
    (found,) = problems(data=latin, context=16, tokens="characters")
    assert (found.name, found.problem) == ("data", f"{latin} is not UTF-8: invalid start byte at byte 2")
    for tokens in ("bytes", "characters"):
        (found,) = problems(data=write(tmp_path / "empty.txt", ""), tokens=tokens)
        assert found.problem.endswith("is empty")
    (found,) = problems(data=data, context=500)
    assert (found.name, found.allowed) == ("context", "at most 159")
    assert "160 of its 1,600 tokens are for validation, too few for context=500" in found.problem
    (found,) = problems(data=data, validation=0.9, context=16)
    assert found.name == "validation"
    (found,) = problems(data=data, heads=3, width=64, context=16)
    assert (found.name, found.allowed) == ("heads", "heads: 2")
    (found,) = problems(data=tmp_path, context=16)
    assert "cannot be read: Is a directory" in found.problem
    (found,) = problems(data=data, context=100, test=0.01)
    assert (found.name, found.warning) == ("test", True)


def test_a_text_that_is_not_utf_8_is_refused_by_a_trial_as_well(tmp_path: Path) -> None:
    latin = write(tmp_path / "latin.txt", "größer ".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8"):
        run(train, Trial(config={"data": latin, "tokens": "characters", "context": 1}, device="cpu"))
