"""What the user wrote: read with every mistake at once, and held as values from which a sweep is made."""

from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.distribution import Distribution, Numeric
from orchestrator.space.space import Space
from orchestrator.spec.max_step import max_step
from orchestrator.spec.model import Budget, Objective, Resources, Scheduler, Search, Spec, TrialPolicy
from orchestrator.spec.one_config import read_config
from orchestrator.spec.reading import parse_spec, read_spec
from orchestrator.spec.schema import spec_schema

__all__ = [
    "Budget",
    "Distribution",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Numeric",
    "Objective",
    "Resources",
    "Scheduler",
    "Search",
    "Space",
    "Spec",
    "TrialPolicy",
    "max_step",
    "parse_spec",
    "read_config",
    "read_spec",
    "spec_schema",
]
