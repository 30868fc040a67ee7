"""Sweeps on a cluster."""
