"""init --builtin: specs that are valid as soon as the data is named, also with everything searched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import OptionsError, SpecError
from orchestrator.first_spec.builtin import from_builtin
from orchestrator.spec import parse_spec
from orchestrator.spec.load_trainable import declared
from orchestrator.yaml.reader import from_yaml
from tests.trainables import tiny
from tests.trainables.test_contract import CONFIG, MADE
from trainables import BUILTIN
from trainables.declaration import REQUIRED


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the text and the model are that the contract's tests make, too."""
    directory = tmp_path_factory.mktemp("made")
    tiny.text(directory / "text.txt")
    tiny.causal_model(directory / "model")
    return directory


def spec(name: str, text: str, made: Path) -> dict[str, Any]:
    """The proposed spec, with what one has to fill in taken from the contract's tests."""
    declaration = declared(name, Path.cwd())
    assert declaration is not None
    needed = [h.name for h in declaration.hyperparameters if h.default is REQUIRED]
    mine = {each: str(CONFIG[name][each]).replace(str(MADE), str(made)) for each in needed}
    found: dict[str, Any] = from_yaml(text, "s.yaml").data
    return {**found, "fixed": {**found["fixed"], **mine}}


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("name", BUILTIN)
def test_it_is_valid_once_the_data_is_named(name: str, everything: bool, made: Path) -> None:
    text = from_builtin(name).text()
    if everything:
        text = re.sub(r"^  # (\w+: \{)", r"  \1", text, flags=re.M)
    found = parse_spec(spec(name, text, made), base=Path.cwd(), resolve=declared)
    assert "lr" in found.space
    assert all(distribution.form for distribution in found.space.values())


@pytest.mark.parametrize("name", sorted(BUILTIN.keys() - {"linear"}))
def test_as_it_is_the_mistakes_are_what_one_has_to_fill_in(name: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(from_builtin(name).text())
    with pytest.raises(SpecError) as caught:
        parse_spec(from_yaml(from_builtin(name).text(), "s.yaml").data, base=tmp_path, resolve=declared)
    assert {mistake.key for mistake in caught.value.mistakes} <= {"fixed.data", "fixed.pretrained"}


def test_a_misspelt_name_is_told_the_right_one() -> None:
    with pytest.raises(OptionsError, match="did you mean 'tabular'"):
        from_builtin("tabluar")


def test_few_are_searched_from_the_beginning() -> None:
    for name in BUILTIN:
        assert 1 <= len(from_builtin(name).space) <= 8, "a budget of 40 trials is not enough for more"
