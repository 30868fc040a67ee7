"""Runs the sweep's state machine on a virtual clock, for forecasts and tests, without Ray, processes or files."""
