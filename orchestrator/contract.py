"""The trainables' contract under a name that a user's own folder `trainables` cannot hide."""

from __future__ import annotations

from trainables.contract import REQUIRED, Hyperparameter, Report, Trial, TrialEnded, declaration_of, declare

__all__ = ["REQUIRED", "Hyperparameter", "Report", "Trial", "TrialEnded", "declaration_of", "declare"]
