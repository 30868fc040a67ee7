"""Proposes a first spec from what somebody has: a program, a W&B sweep, an Optuna study; runs none of it."""
