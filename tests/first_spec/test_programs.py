"""Programs are read without being run: what they take becomes a command, and what is worth searching a space."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.first_spec.draft import Draft
from orchestrator.first_spec.read import draft_from
from trainables.command.metrics.pattern import reader

ARGPARSE = """
import argparse, json

WIDTH = 2 * 64

def add_model(parser):
    group = parser.add_argument_group("model")
    group.add_argument("--hidden-dim", type=int, default=WIDTH)
    group.add_argument("--n_layer", "-n", type=int, default=4)

parser = argparse.ArgumentParser()
parser.add_argument("corpus")
parser.add_argument("--lr", "--learning-rate", type=float, default=3e-4)
parser.add_argument("-b", "--batch-size", type=int, default=48)
parser.add_argument("--optimizer", choices=["sgd", "adamw"], default="adamw")
parser.add_argument("--epochs", type=int)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--betas", nargs=2, type=float, default=(0.9, 0.999))
parser.add_argument("--workers", default=4, type=int)
parser.add_argument("--out-dir", default="runs")
parser.add_argument("--ckpt_dir")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--resume-from", metavar="FILE")
parser.add_argument("--version", action="version", version="1")
add_model(parser)
parser.set_defaults(epochs=30)
args = parser.parse_args()
for epoch in range(args.epochs):
    print(json.dumps({"epoch": epoch, "train_loss": 1.0, "val_acc": 0.5, "lr": args.lr}))
raise SystemExit("it was run")
"""

TYPER = """
import typer
from enum import Enum
from typing import Annotated, Optional

class Opt(str, Enum):
    sgd = "sgd"
    adam = "adam"

def main(
    data: str,
    learning_rate: float = 0.01,
    dropout: Annotated[float, typer.Option(help="share")] = 0.1,
    width: int = typer.Option(64, "--units"),
    optimizer: Opt = Opt.adam,
    epochs: int = 10,
    momentum: Optional[float] = None,
    verbose: bool = False,
):
    pass

if __name__ == "__main__":
    typer.run(main)
"""

CLICK = """
import click

@click.command()
@click.argument("data")
@click.option("--lr", default=0.1, show_default=True)
@click.option("--opt", "optimizer", type=click.Choice(["sgd", "adam"]), default="sgd")
@click.option("--weight-decay", type=click.FloatRange(0, 1), default=0.0)
@click.option("--epochs", type=click.INT, default=5)
@click.option("--amp/--no-amp", default=True)
@click.option("--tag", multiple=True)
def train(**options):
    pass
"""

DATACLASS = """
from dataclasses import dataclass, field
from typing import Literal
from transformers import HfArgumentParser
from mine import OtherArguments

@dataclass
class Base:
    learning_rate: float = field(default=5e-5, metadata={"help": "peak"})

@dataclass
class Arguments(Base):
    model_name_or_path: str = field(metadata={"help": "a path"})
    num_train_epochs: float = 3.0
    lr_scheduler: Literal["linear", "cosine"] = "linear"
    fp16: bool = False
    tags: list[str] = field(default_factory=list)

model_args, training_args = HfArgumentParser((Arguments, OtherArguments)).parse_args_into_dataclasses()
"""

# After https://github.com/huggingface/transformers/blob/main/examples/pytorch/text-classification/run_glue.py
HUGGING_FACE = """
from transformers import HfArgumentParser, Trainer, TrainingArguments

@dataclass
class ModelArguments:
    model_name_or_path: str = field(metadata={"help": "Path to pretrained model"})

parser = HfArgumentParser((ModelArguments, TrainingArguments))
"""

TYRO = """
import dataclasses, tyro

@dataclasses.dataclass(frozen=True)
class Optim:
    learning_rate: float = 1e-3
    weight_decay: float = 0.0

@dataclasses.dataclass
class Args:
    optim: Optim
    num_steps: int = 1_000

args = tyro.cli(Args)
"""

FIRE = """
import fire

def train(lr=0.003, hidden_size: int = 32, epochs=7, *, name="x"):
    pass

fire.Fire(train)
"""

ABSL = """
from absl import app, flags
flags.DEFINE_float("lr", 1e-3, "rate")
flags.DEFINE_integer("max_steps", 100, "length")
flags.DEFINE_enum("optimizer", "adam", ["adam", "sgd"], "which")
flags.DEFINE_bool("jit", True, "compile")
"""

# After https://github.com/karpathy/nanoGPT/blob/master/train.py, shortened, and a variant that reads sys.argv itself.
NANOGPT = """
import os
out_dir = 'out'
compile = True
batch_size = 12 # if gradient_accumulation_steps > 1, this is the micro-batch size
learning_rate = 6e-4 # max learning rate
max_iters = 600000
_private = 1
config_keys = [k for k,v in globals().items() if not k.startswith('_') and isinstance(v, (int, float, bool, str))]
exec(open('configurator.py').read()) # overrides from command line or config file
dropout = 0.5
print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
"""
OWN_GLOBALS = NANOGPT.replace(
    "exec(open('configurator.py').read())",
    "for arg in sys.argv[1:]:\n    key, value = arg.lstrip('-').split('=')\n    globals()[key] = literal_eval(value)",
)


def draft(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Draft:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(text)
    return draft_from("train.py", Path())


def values(proposed: Any) -> dict[str, Any]:
    return {name: each.value for name, each in proposed.items()}


@pytest.mark.parametrize(
    ("text", "command", "fixed", "space"),
    [
        (
            ARGPARSE,
            "python train.py --hidden-dim {hidden_dim} --n_layer {n_layer} {corpus} --lr {lr} --batch-size {batch_size}"
            " --optimizer {optimizer} --epochs {epochs} --out-dir {trial_dir} --ckpt_dir {checkpoint_dir}"
            " --seed {seed}",
            {"epochs": 30},
            {
                "lr": {"loguniform": [1e-5, 1e-2]},
                "batch_size": {"choice": [12, 24, 48, 96, 192], "ordered": True},
                "optimizer": {"choice": ["sgd", "adamw"]},
                "hidden_dim": {"choice": [32, 64, 128, 256, 512], "ordered": True},
                "n_layer": {"int": [1, 8]},
            },
        ),
        (
            TYPER,
            "python train.py {data} --learning-rate {learning_rate} --dropout {dropout} --units {width}"
            " --optimizer {optimizer} --epochs {epochs} --momentum {momentum}",
            {"epochs": 10},
            {
                "learning_rate": {"loguniform": [3e-4, 0.3]},
                "dropout": {"uniform": [0.0, 0.5]},
                "width": {"choice": [16, 32, 64, 128, 256], "ordered": True},
                "optimizer": {"choice": ["sgd", "adam"]},
                "momentum": {"uniform": [0.5, 0.99]},
            },
        ),
        (
            CLICK,
            "python train.py {data} --lr {lr} --opt {optimizer} --weight-decay {weight_decay} --epochs {epochs}",
            {"epochs": 5},
            {
                "lr": {"loguniform": [3e-3, 3.0]},
                "optimizer": {"choice": ["sgd", "adam"]},
                "weight_decay": {"loguniform": [1e-5, 0.1]},
            },
        ),
        (
            DATACLASS,
            "python train.py --learning_rate {learning_rate} --model_name_or_path {model_name_or_path}"
            " --num_train_epochs {num_train_epochs} --lr_scheduler {lr_scheduler}",
            {"num_train_epochs": 3},
            {"learning_rate": {"loguniform": [1e-6, 1e-3]}, "lr_scheduler": {"choice": ["linear", "cosine"]}},
        ),
        (
            TYRO,
            "python train.py --optim.learning-rate {optim.learning_rate} --optim.weight-decay {optim.weight_decay}"
            " --num-steps {num_steps}",
            {"num_steps": 1000},
            {"optim.learning_rate": {"loguniform": [3e-5, 0.03]}, "optim.weight_decay": {"loguniform": [1e-5, 0.1]}},
        ),
        (
            FIRE,
            "python train.py --lr {lr} --hidden_size {hidden_size} --epochs {epochs}",
            {"epochs": 7},
            {
                "lr": {"loguniform": [1e-4, 0.1]},
                "hidden_size": {"choice": [8, 16, 32, 64, 128], "ordered": True},
            },
        ),
        (
            ABSL,
            "python train.py --lr {lr} --max_steps {max_steps} --optimizer {optimizer}",
            {"max_steps": 100},
            {"lr": {"loguniform": [3e-5, 0.03]}, "optimizer": {"choice": ["adam", "sgd"]}},
        ),
        *(
            (
                text,
                "python train.py --out_dir={trial_dir} --batch_size={batch_size} --learning_rate={learning_rate}"
                " --max_iters={max_iters}",
                {"max_iters": 600_000},
                {
                    "batch_size": {"choice": [3, 6, 12, 24, 48], "ordered": True},
                    "learning_rate": {"loguniform": [3e-5, 0.03]},
                },
            )
            for text in (NANOGPT, OWN_GLOBALS)
        ),
    ],
    ids=["argparse", "typer", "click", "dataclass", "tyro", "fire", "absl", "nanogpt", "globals"],
)
def test_each_library_of_command_lines(
    text: str,
    command: str,
    fixed: dict[str, Any],
    space: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = draft(tmp_path, text, monkeypatch)
    assert found.runs[1].value == command
    assert values(found.fixed) == fixed
    assert values(found.space) == space


def test_the_arguments_of_hugging_faces_trainer_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = draft(tmp_path, HUGGING_FACE, monkeypatch)
    assert found.runs[1].value == (
        "python train.py --output_dir {trial_dir} --eval_strategy {eval_strategy} --num_train_epochs {num_train_epochs}"
        " --learning_rate {learning_rate} --per_device_train_batch_size {per_device_train_batch_size}"
        " --weight_decay {weight_decay} --max_grad_norm {max_grad_norm} --seed {seed}"
        " --model_name_or_path {model_name_or_path}"
    )
    assert values(found.fixed) == {"num_train_epochs": 3, "eval_strategy": "epoch"}
    assert values(found.space)["learning_rate"] == {"loguniform": [1e-6, 1e-3]}
    assert found.objective.value == {"metric": "eval_loss", "mode": "min"}
    assert found.notes == ("model_name_or_path must be given: write a value under fixed.",)


def test_what_is_left_and_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = draft(tmp_path, ARGPARSE, monkeypatch)
    assert found.notes == (
        "corpus must be given: write a value under fixed.",
        "Left at their defaults: amp, betas, workers.",
        "--resume-from may continue from a checkpoint: save to {checkpoint_dir} and add {resume} to the command, with"
        " resume: --resume-from {checkpoint_dir}/FILE, and killed trials go on.",
    )
    assert found.objective.value == {"metric": "val_acc", "mode": "max"}
    assert (
        "The options of OtherArguments were not read: they are defined elsewhere."
        in draft(tmp_path, DATACLASS, monkeypatch).notes
    )


def test_a_hydra_program_is_read_with_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(
        "defaults: [_self_]\nepochs: 12\noptim: {name: adam, lr: 0.01, betas: [0.9, 0.99]}\nout: ${hydra:run.dir}\n"
    )
    text = """
import hydra

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    pass
"""
    found = draft(tmp_path, text, monkeypatch)
    assert found.runs[1].value == "python train.py epochs={epochs} optim.lr={optim.lr}"
    assert values(found.space) == {"optim.lr": {"loguniform": [3e-4, 0.3]}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print(1)", "no options found"),
        ("def f(:", "not valid Python"),
        ("x = " + "(" * 300 + ")" * 300, "train.py"),
    ],
)
def test_a_program_without_options_is_an_error(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=words):
        draft(tmp_path, text, monkeypatch)


@pytest.mark.parametrize(
    ("statement", "line", "record", "objective"),
    [
        (
            'print(f"Epoch {epoch:>3}/{epochs}  train loss: {loss:.4f}, val acc = {acc:.1%}")',
            "Epoch   3/9  train loss: 0.1234, val acc = 0.5",
            {"epoch": 3, "train_loss": 0.1234, "val_acc": 0.5},
            {"metric": "val_acc", "mode": "max"},
        ),
        (
            'print("\\nTest set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)\\n".format(loss, right, n, share))',
            "Test set: Average loss: 1.5e-2, Accuracy: 90/100 (90%)",
            {"average_loss": 0.015, "accuracy": 90},
            {"metric": "average_loss", "mode": "min"},
        ),
        (
            'logger.info("step %d | perplexity %.2f" % (step, ppl))',
            "12:00 INFO step 7 | perplexity nan",
            {"step": 7, "perplexity": float("nan")},
            {"metric": "perplexity", "mode": "min"},
        ),
    ],
)
def test_lines_for_people_become_a_pattern(
    statement: str,
    line: str,
    record: dict[str, float],
    objective: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "import argparse\nargparse.ArgumentParser().add_argument('--lr', type=float)\nprint(f'hello {1}')\n"
    found = draft(tmp_path, text + statement, monkeypatch)
    assert found.objective.value == objective
    assert repr(reader(found.sections["output"].value["pattern"])(line)) == repr(record)


def test_the_text_is_valid_yaml_with_the_remarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.yaml.reader import from_yaml

    found = draft(tmp_path, ARGPARSE, monkeypatch)
    text = found.text()
    document = from_yaml(text, "sweep.yaml")
    assert not document.mistakes
    assert document.data["command"] == found.runs[1].value
    assert document.data["space"] == values(found.space)
    assert "# default 0.0003" in text
    assert ast.literal_eval(repr(document.data["fixed"])) == {"epochs": 30}
