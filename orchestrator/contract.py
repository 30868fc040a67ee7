"""The trainables' contract, importable even if the user's project has a folder `trainables` of its own."""

from __future__ import annotations

from trainables.declaration import REQUIRED, Hyperparameter, declaration_of, declare
from trainables.report import Report
from trainables.trial import Trial, TrialEnded

__all__ = ["REQUIRED", "Hyperparameter", "Report", "Trial", "TrialEnded", "declaration_of", "declare"]
