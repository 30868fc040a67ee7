"""Machines: how to reach Ray, what its nodes have, what fits on them. Knows nothing of sweeps."""
