"""The trainables' contract, importable even if the user's project has a folder `trainables` of its own."""

from __future__ import annotations

from trainables.contract import REQUIRED, Hyperparameter, Report, Trial, TrialEnded, declaration_of, declare

__all__ = ["REQUIRED", "Hyperparameter", "Report", "Trial", "TrialEnded", "declaration_of", "declare"]
