"""The results directory is one of the file system: URLs and paths that are not text are refused by every command."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
import typer

from orchestrator.api.run import run
from orchestrator.cli.app import app, main
from orchestrator.errors import OptionsError, UserError
from orchestrator.records.paths import claim, results_directory

COMMANDS: dict[str, click.Command] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
WITH_RESULTS = sorted(
    name for name, command in COMMANDS.items() if any("--results" in each.opts for each in command.params)
)
URLS = ["s3://bucket/x", "gs://bucket", "file:///data", "hf+x://a", "https://host/x", "s3:/bucket"]


@pytest.mark.parametrize("name", WITH_RESULTS)
def test_every_command_refuses_a_url(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    needed = [each for each in COMMANDS[name].params if each.required]
    words = ["x.yaml" for each in needed if isinstance(each, click.Argument)]
    assert main([name, *words, "--results", "s3://bucket/x"]) == 2
    error = capfd.readouterr().err
    assert "results cannot be at s3:/bucket/x: sweeps are recorded in a directory of the file system" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", URLS)
def test_any_scheme_is_one(url: str) -> None:
    with pytest.raises(OptionsError, match="not at a URL"):
        results_directory(url)
    with pytest.raises(OptionsError, match="not at a URL"):
        results_directory(Path(url))


@pytest.mark.parametrize("path", ["results", "/data/a:b", "./s3:/x", "C:/results", "a b:/c", "~/sweeps"])
def test_what_only_has_a_colon_is_none(path: str) -> None:
    assert results_directory(path) == Path(path)


def test_the_environment_variable_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_RESULTS", "s3://bucket/x")
    assert main(["ls"]) == 2


def test_python_refuses_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = {"trainable": "demo", "space": {"x": {"uniform": [0, 1]}}, "objective": {"metric": "loss"}}
    with pytest.raises(OptionsError, match="not at a URL"):
        run(spec, results="s3://bucket/x")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Ray, Parquet and JSON cannot name it."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    with pytest.raises(UserError, match="the path is not UTF-8"):
        claim(odd, "s")
    assert list(tmp_path.iterdir()) == []
