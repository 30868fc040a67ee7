"""One configuration that somebody gives on the command line."""

from __future__ import annotations

from orchestrator.core.rows import Config
from orchestrator.expressions.expression import EvaluationError
from orchestrator.space.space import Space
from orchestrator.yaml.reader import from_yaml


def read_config(text: str, space: Space, *, name: str) -> Config:
    """A configuration of the space, out of YAML such as ``{lr: 0.01, layers: 3}``.

    Args:
        text: The YAML.
        space: Which parameters there are, and their values.
        name: The option in which it stands, for mistakes.

    Raises:
        SpecError: With every mistake.
    """
    document = from_yaml(text, name, option=True)
    document.raise_mistakes()
    try:
        for key, problem, allowed in space.complete(document.data):
            document.add((key,) if key else (), problem, allowed)
    except EvaluationError as error:
        document.add((), error.problem)
    document.raise_mistakes()
    return space.canonical(document.data)
