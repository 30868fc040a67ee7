"""Sweeps that run as jobs on a cluster that this machine is no part of: sent there, asked there, fetched from there."""
