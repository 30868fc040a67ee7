"""A LoRA fine-tune: what is trained, what a checkpoint has, and which models are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainables import tiny
from trainables.builtin import lora_model
from trainables.builtin.language_data import windows
from trainables.builtin.language_model import NextToken
from trainables.builtin.lora import HYPERPARAMETERS, check_data, evaluate, fine_tuned, load, network, prepare, train
from trainables.checkpoints import files
from trainables.configuration import complete
from trainables.contract import run
from trainables.data.problems import DataError, DataProblem
from trainables.trial import Trial


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.causal_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def config(model: Path, tmp_path: Path) -> dict[str, Any]:
    data = tiny.text(tmp_path / "text.txt", sentences=400)
    return {"data": data, "pretrained": model, "context": 16, "epochs": 3, "lr": 0.03, "targets": "all"}


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_it_learns_and_a_checkpoint_has_what_is_trained_alone(
    config: dict[str, Any], model: Path, tmp_path: Path, ema: float
) -> None:
    config |= {"ema": ema}
    trial = Trial(config=config, device="cpu", directory=tmp_path / "trial")
    run(train, trial)
    assert trial.history[-1].metrics["val_accuracy"] > 0.6
    found = files.find(tmp_path / "trial" / "checkpoints", "last")
    assert found is not None
    saved = files.load(found)["training"]
    states = [saved["model"], *([saved["averaged"]["model"]] if ema else [])]
    for state in states:
        assert state
        assert all("lora_" in name for name in state)
    scores = evaluate(config, Trial(config=config, device="cpu", directory=tmp_path / "trial"))
    assert scores["test_loss"] == pytest.approx(trial.history[-1].metrics["val_loss"], abs=0.1)

    test = windows(load(complete(config, HYPERPARAMETERS)), "test", context=16, device="cpu")
    inputs, targets = test.batch(torch.arange(len(test)))
    tuned = fine_tuned(config, found)
    with torch.no_grad():
        loss = NextToken().loss(tuned(input_ids=inputs).logits, targets).item()
    assert loss == pytest.approx(scores["test_loss"], rel=1e-4)
    tuned.save_pretrained(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_it_begins_as_the_model_and_only_added_matrices_are_trained(config: dict[str, Any], model: Path) -> None:
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model)
    tokens = torch.randint(5, (2, 9))
    adapted = network(complete(config, HYPERPARAMETERS)).eval()
    with torch.no_grad():
        assert torch.allclose(adapted(tokens), base(input_ids=tokens).logits, atol=1e-6)
    trained = {name for name, each in adapted.named_parameters() if each.requires_grad}
    assert trained
    assert all("lora_" in name for name in trained)
    half = network(complete(config, HYPERPARAMETERS), half=True)
    kinds = {(each.requires_grad, each.dtype) for each in half.parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}


def test_targets_are_those_of_the_attention_or_all(config: dict[str, Any]) -> None:
    def adapted(targets: str) -> set[str]:
        model = network(complete(config | {"targets": targets}, HYPERPARAMETERS))
        return {name.split(".lora_")[0].split(".")[-1] for name, _ in model.named_parameters() if ".lora_" in name}

    assert adapted("attention") == {"q_proj", "v_proj"}
    assert adapted("all") == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_a_text_is_encoded_in_pieces_as_in_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "the cat sees a dog.\n" * 50
    whole = lora_model.encode(model, text)
    monkeypatch.setattr(lora_model, "ENCODED_AT_ONCE", 37)
    assert lora_model.encode(model, text) == whole
    assert len(whole) == 300


def test_prepared_it_has_imported_the_code_of_the_model(config: dict[str, Any]) -> None:
    code = """
import sys
from pathlib import Path
from trainables.builtin.lora import HYPERPARAMETERS, prepare
from trainables.configuration import complete
config = complete({"data": sys.argv[1], "pretrained": sys.argv[2], "context": 16}, HYPERPARAMETERS)
prepare(config)
sys.exit(" ".join({"peft", "transformers.models.llama.modeling_llama"} - sys.modules.keys()) or None)
"""
    command = [sys.executable, "-c", code, config["data"], config["pretrained"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    prepare({"data": config["data"]})  # which model is searched over


def problems(config: dict[str, Any], **changes: Any) -> list[DataProblem]:
    return list(check_data(complete(config | changes, HYPERPARAMETERS)))


def without(model: Path, copy: Path, *names: str) -> Path:
    shutil.copytree(model, copy)
    for name in names:
        (copy / name).unlink(missing_ok=True)
    return copy


def test_check_refuses_what_is_no_causal_model(config: dict[str, Any], model: Path, tmp_path: Path) -> None:
    assert problems(config) == []
    wrong = {
        "without config.json": without(model, tmp_path / "a", "config.json"),
        "has no weights": without(model, tmp_path / "b", "model.safetensors"),
        "has no tokenizer": without(model, tmp_path / "c", "tokenizer.json", "tokenizer_config.json"),
        "is not the configuration of a model": without(model, tmp_path / "d"),
        "BertForMaskedLM, which predicts no next token": without(model, tmp_path / "e"),
        "an adapter, not a model": without(model, tmp_path / "f", "config.json"),
    }
    (tmp_path / "d" / "config.json").write_text("[1]")
    (tmp_path / "e" / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"]}))
    (tmp_path / "f" / "adapter_config.json").write_text("{}")
    for words, folder in wrong.items():
        (found,) = problems(config, pretrained=folder)
        assert found.name == "pretrained"
        assert words in found.problem
    (found,) = problems(config, pretrained=config["data"])
    assert "without config.json" in found.problem


def test_check_looks_at_the_text_and_the_context(config: dict[str, Any], tmp_path: Path) -> None:
    (found,) = problems(config, context=65)
    assert (found.name, found.allowed) == ("context", "context: 64")
    (found,) = problems(config, data=tiny.text(tmp_path / "short.txt", sentences=2))
    assert (found.name, "bytes are too few for context=16" in found.problem) == ("context", True)
    (tmp_path / "latin.txt").write_bytes("größer".encode("latin-1"))
    (found,) = problems(config, data=tmp_path / "latin.txt")
    assert (found.name, "is not UTF-8" in found.problem) == ("data", True)
    (found,) = problems(config, data=tmp_path / "none.txt")
    assert "none.txt cannot be read" in found.problem


def test_damaged_weights_are_said(config: dict[str, Any], model: Path, tmp_path: Path) -> None:
    copy = without(model, tmp_path / "copy", "config.json")
    (copy / "config.json").write_text(json.dumps({"model_type": "no such", "architectures": ["NoCausalLM"]}))
    with pytest.raises(DataError, match="is no causal language model that can be loaded"):
        run(train, Trial(config=config | {"pretrained": copy}, device="cpu"))
    cut = without(model, tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:2000])
    with pytest.raises(DataError, match="is no causal language model that can be loaded"):
        run(train, Trial(config=config | {"pretrained": cut}, device="cpu"))
