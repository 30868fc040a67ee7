"""Sends sweeps to a cluster as Ray Jobs over HTTP and fetches their records; the commands are in cli/remote/."""
