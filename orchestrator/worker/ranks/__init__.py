"""Trials of several ranks, which train together, stop at one step, fail as one; a single process is run elsewhere."""
