"""A directory with the files of the example spec."""

from pathlib import Path

import pytest

from tests.spec.churn_example import TABULAR


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with the data that the example spec names."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "telco_churn.csv").write_text("a,churn\n1,yes\n")
    return tmp_path


@pytest.fixture
def resolve():
    """The declaration of ``tabular``, whatever is asked for."""
    return lambda reference, base: TABULAR
