"""Comparisons: of trials, repeated configurations, parameters and sweeps; what curves look like is in diagnosis/."""
