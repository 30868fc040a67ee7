"""Runs the sweep's state machine on a virtual clock, for forecasts and tests; no Ray, no processes, no files."""
