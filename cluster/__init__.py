"""Machines: what they have, what fits on them, how Ray on them is started or reached; nothing about sweeps.

Everything that needs to know a cluster and no sweep belongs here. What a trial or a sweep is, this package does not
know: its callers say what is needed in numbers, and turn its ClusterError into errors of their own.
"""
