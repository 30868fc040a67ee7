"""Writes a recorded sweep for other tools, one target per file; the records themselves belong to records/."""
