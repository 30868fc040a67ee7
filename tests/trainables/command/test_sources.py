from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables.command.test_program import python, run, told
from trainables.command.failure import ProgramFailed
from trainables.command.metrics.csv_file import CsvFile
from trainables.command.metrics.event_files import EventFiles
from trainables.command.metrics.growing_file import GrowingFile
from trainables.command.metrics.pattern import reader
from trainables.command.output import Output, format_of


@pytest.mark.parametrize(
    ("pattern", "line", "record"),
    [
        (r"Epoch (?P<epoch>\d+): loss (?P<loss>\S+)", "INFO Epoch 3: loss 1e-3", {"epoch": 3, "loss": 0.001}),
        (r"loss (?P<loss>\S+)", "loss nan", {"loss": float("nan")}),
        (r"loss (?P<loss>\S+)", "loss -", {}),
        (r"loss (?P<loss>\S+)( acc (?P<acc>\S+))?", "loss 2", {"loss": 2}),
        (r"(?P<name>[\w/]+)=(?P<value>\S+)", "step=1 val/loss=0.5 name=x", {"step": 1, "val/loss": 0.5}),
        (r"(?P<loss>\d+)", "nothing", {}),
    ],
)
def test_a_pattern_finds_numbers_by_name(pattern: str, line: str, record: Mapping[str, float]) -> None:
    assert str(reader(pattern)(line)) == str(record)


def test_lines_of_a_file_come_once_and_again_if_it_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    growing = GrowingFile(str(path))
    assert list(growing.lines()) == []
    path.write_text("a\nb")
    assert list(growing.lines()) == ["a"]
    with path.open("a") as file:
        file.write("c\n")
    assert list(growing.lines()) == ["bc"]
    assert list(growing.lines()) == []
    path.write_text("x\nyz, and longer than before\n")
    assert list(growing.lines()) == ["x", "yz, and longer than before"]
    path.unlink()
    path.write_text("n")
    assert list(growing.lines()) == []
    assert list(growing.lines(last=True)) == ["n"]


def test_of_several_files_the_newest_is_read(tmp_path: Path) -> None:
    growing = GrowingFile(f"{tmp_path}/version_*/log")
    (tmp_path / "version_0").mkdir()
    (tmp_path / "version_0" / "log").write_text("old\n")
    assert list(growing.lines()) == ["old"]
    (tmp_path / "version_1").mkdir()
    (tmp_path / "version_1" / "log").write_text("new\n")

    os.utime(tmp_path / "version_0" / "log", (1, 1))
    assert list(growing.lines()) == ["new"]


@given(st.lists(st.text(alphabet="ab,\n\r"), max_size=8))
def test_however_a_file_grows_its_lines_are_those_of_the_whole(tmp_path_factory: Any, parts: list[str]) -> None:
    path = tmp_path_factory.mktemp("grows") / "log"
    growing, found = GrowingFile(str(path)), []
    for part in parts:
        with path.open("a", newline="") as file:
            file.write(part)
        found += list(growing.lines())
    found += list(growing.lines(last=True))
    whole = "".join(parts).replace("\r", "\n").split("\n")
    assert found == (whole if whole[-1] else whole[:-1])


def test_a_csv_file_may_get_more_columns(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    file = CsvFile(str(path))
    path.write_text('epoch,"train, loss",name\n0,0.5,x\n1,')
    assert list(file.read()) == [{"epoch": 0, "train, loss": 0.5}]
    path.write_text('epoch,train,val\n0,0.5,\n0,,nan\n1,0.4,inf\nbad line "\n')
    assert str(list(file.read())) == str(
        [
            {"epoch": 0, "train": 0.5},
            {"epoch": 0, "val": float("nan")},
            {"epoch": 1, "train": 0.4, "val": float("inf")},
            {},
        ]
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_tells_what_separates_the_cells(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("\ufeff" + delimiter.join(["step", "loss"]) + "\r\n" + delimiter.join(["1", "2.5"]) + "\r\n")
    assert list(CsvFile(str(path)).read()) == [{"step": 1, "loss": 2.5}]


def test_scalars_of_event_files_come_with_their_objective(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    files = EventFiles(str(tmp_path), "val/loss")
    train, val = SummaryWriter(str(tmp_path / "train")), SummaryWriter(str(tmp_path / "val"))
    for step in (1, 2, 3):
        train.add_scalar("train/loss", step / 2, step)
        train.add_text("note", "hello", step)
    train.close()
    assert list(files.read()) == []
    val.add_scalar("val/loss", 8, 2)
    val.close()
    assert list(files.read()) == [{"train/loss": 0.5, "step": 1}, {"train/loss": 1, "val/loss": 8, "step": 2}]
    assert list(files.read(last=True)) == [{"train/loss": 1.5, "step": 3}]


def test_half_an_event_waits_for_the_rest_and_a_broken_one_is_left_out(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    def event(step: int, **value: Any) -> bytes:
        made = Event(step=step, summary=Summary(value=[Summary.Value(tag="loss", **value)])).SerializeToString()
        return struct.pack("<Q", len(made)) + b"????" + made + b"????"

    path = tmp_path / "events.out.tfevents.1"
    tensor = {"dtype": 1, "tensor_content": struct.pack("<f", 2.5)}
    broken = struct.pack("<Q", 4) + b"????" + b"\xff\xff\xff\xff" + b"????"
    whole = (
        event(1, simple_value=0.5) + broken + event(2, tensor=tensor) + event(3, tensor={"dtype": 1, "float_val": [4]})
    )
    files = EventFiles(str(tmp_path), "loss")
    found = []
    for end in (3, 11, 20, 60, len(whole)):
        path.write_bytes(whole[:end])
        found += list(files.read())
    assert found == [{"loss": 0.5, "step": 1}, {"loss": 2.5, "step": 2}, {"loss": 4, "step": 3}]


def test_the_name_of_a_file_tells_its_format() -> None:
    assert [format_of(name) for name in ("a.csv", "a.TSV", "a.jsonl", "log", "runs/")] == [
        "csv",
        "csv",
        "jsonl",
        None,
        None,
    ]


WRITES = """
import sys, time
with open(sys.argv[1], "w") as file:
    for line in sys.argv[2:]:
        file.write(line); file.flush(); time.sleep(0.3)
"""


@pytest.mark.parametrize(
    ("output", "lines", "steps"),
    [
        (
            Output(path="{trial_dir}/m.csv", format="csv"),
            ["step,loss\n1,2\n", "2,1"],
            [(1, {"loss": 2}), (2, {"loss": 1})],
        ),
        (Output(path="{trial_dir}/m*.jsonl"), ['{"loss": 2}\n', '{"loss": 1}'], [(1, {"loss": 2}), (2, {"loss": 1})]),
        (Output(path="{trial_dir}/log", pattern="(?P<loss>[0-9.]+)"), ["loss 2\n", "x\n"], [(1, {"loss": 2})]),
    ],
)
def test_a_program_is_followed_by_its_file(
    output: Output, lines: list[str], steps: list[tuple[int, dict[str, float]]], tmp_path: Path
) -> None:
    name = output.path.replace("*", "etrics")
    assert told(run(python(WRITES, name, *lines, output=output), directory=tmp_path / "[odd]*")) == steps


def test_a_pattern_reads_what_logging_writes() -> None:
    code = "import logging; logging.warning('epoch 1: loss 0.5')"
    output = Output(pattern=r"epoch (?P<epoch>\d+): loss (?P<loss>\S+)")
    assert told(run(python(code, output=output))) == [(1, {"loss": 0.5})]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Output(path="none.csv", format="csv"), "no number in none.csv"),
        (Output(pattern="(?P<loss>x)"), "no line of its output matches output.pattern"),
    ],
)
def test_where_metrics_were_looked_for_is_said(output: Output, message: str) -> None:
    with pytest.raises(ProgramFailed, match=message):
        run(python("pass", output=output))
