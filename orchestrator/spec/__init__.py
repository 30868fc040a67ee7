"""Reads a spec, reports every mistake in it at once, and finds its trainable; nothing here plans or runs a sweep."""

from orchestrator.expressions.expression import EvaluationError, Expression
from orchestrator.expressions.grammar import ExpressionError
from orchestrator.space.distribution import Distribution, Numeric
from orchestrator.space.space import Space
from orchestrator.spec.max_step import max_step
from orchestrator.spec.model import Spec, spec_schema
from orchestrator.spec.reading import parse_spec, read_config, read_spec
from orchestrator.spec.sections import Budget, Objective, Resources, Scheduler, Search, TrialPolicy

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
